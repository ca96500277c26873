"""Disk cache of document vectors."""
