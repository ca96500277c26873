"""Search requests and their responses."""
