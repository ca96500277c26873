"""Evaluate models and search methods on judged collections, and measure their speed."""
