"""Model files: hub snapshots and local folders."""
