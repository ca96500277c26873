"""Nodes: configuration, processes, logs."""
