"""Loads, and changes of an index's model, by the workers of a cluster."""
