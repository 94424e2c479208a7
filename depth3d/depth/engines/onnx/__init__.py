"""Networks as ONNX graphs: files, the built-in network in memory, and what runs them."""
