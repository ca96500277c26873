"""Files of models: hub snapshots and local folders."""
