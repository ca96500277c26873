"""Document encoding with PyTorch."""
