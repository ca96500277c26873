"""Refinements of a search: aggregations, groups of hits and boosts of scores."""
