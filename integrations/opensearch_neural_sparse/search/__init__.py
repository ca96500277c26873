"""Search options, queries, requests and results; pure functions and values."""
