"""A local OpenSearch for tests and tutorials, assembled from package registries."""
