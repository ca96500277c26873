"""Connections to OpenSearch servers, and their errors."""
