"""Document encoding with ONNX Runtime."""
