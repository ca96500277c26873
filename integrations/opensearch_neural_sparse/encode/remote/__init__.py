"""Encoders behind HTTP."""
