"""Bind an index to a model, add a field of another model, reindex into another model."""
