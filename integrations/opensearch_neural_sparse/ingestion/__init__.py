"""Loads of documents from a source into an index, continued after any end."""
