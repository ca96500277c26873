"""Bulk writes: encoding, batching, retries."""
