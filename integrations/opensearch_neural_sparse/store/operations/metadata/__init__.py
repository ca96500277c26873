"""Searches for rows of metadata."""
