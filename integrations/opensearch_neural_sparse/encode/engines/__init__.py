"""Inference engines: PyTorch and ONNX Runtime."""
