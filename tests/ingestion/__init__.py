"""Loads by a journal."""
