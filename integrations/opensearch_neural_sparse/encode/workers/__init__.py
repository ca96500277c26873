"""Document encoding by several processes."""
