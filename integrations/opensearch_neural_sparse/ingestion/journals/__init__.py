"""Journals of loads, in a file or an index."""
