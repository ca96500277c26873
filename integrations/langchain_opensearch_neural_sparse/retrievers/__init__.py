"""Retrievers over a vector store."""
