"""Throughput and latency of a model with a server."""
