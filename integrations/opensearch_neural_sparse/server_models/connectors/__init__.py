"""Encoders behind a connector of the server."""
