"""Metadata fields: types, values and names."""
