"""Distributions of OpenSearch, assembled from package registries."""
