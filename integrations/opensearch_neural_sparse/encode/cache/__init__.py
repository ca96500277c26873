"""Document vectors cached on disk."""
