"""Metrics of rankings and vectors."""
