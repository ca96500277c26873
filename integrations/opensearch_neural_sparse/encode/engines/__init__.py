"""Transformers that encode documents, with PyTorch or ONNX Runtime."""
