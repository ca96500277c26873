"""Rerankers, and options of reranking."""
