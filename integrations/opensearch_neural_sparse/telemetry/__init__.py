"""Spans, metrics and log lines of requests, operations and encoders."""
