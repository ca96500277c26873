"""Connections and transports of the clients that are made here: each request ends by its deadline."""
