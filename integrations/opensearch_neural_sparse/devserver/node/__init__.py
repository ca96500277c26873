"""Configure, start and stop the nodes of a server."""
