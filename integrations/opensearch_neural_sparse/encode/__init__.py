"""Sparse encoding of queries and documents; no network access."""
