"""Outcome of bulk requests without an answer."""
