"""Models in a cluster: its settings, its requests, and how it receives archives."""
