"""Hits of legs, their fusion and its score, computed in this process."""
