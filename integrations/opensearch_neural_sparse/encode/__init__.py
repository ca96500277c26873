"""Text to sparse vectors; no network."""
