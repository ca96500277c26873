"""The stores: an index with its model, over an OpenSearch client."""
