"""Catalogue of known models."""
