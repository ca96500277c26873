"""Drivers that perform the steps of operations."""
