"""Assemble distributions of OpenSearch from package registries."""
