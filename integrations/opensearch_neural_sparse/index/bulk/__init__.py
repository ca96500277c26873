"""Bulk actions and their reports."""
