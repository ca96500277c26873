"""Runs of search methods over judged collections."""
