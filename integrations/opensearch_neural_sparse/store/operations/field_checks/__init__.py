"""Checks of the fields that searches name."""
