"""Documents that the server encodes: its model and ingest pipeline, and texts encoded by it."""
