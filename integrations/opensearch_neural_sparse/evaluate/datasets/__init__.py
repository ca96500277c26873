"""Judged collections."""
