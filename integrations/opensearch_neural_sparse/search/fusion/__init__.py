"""Fusion of rankings, by the server or by the client."""
