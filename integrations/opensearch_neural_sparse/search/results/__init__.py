"""Hits of a search and what they carry."""
