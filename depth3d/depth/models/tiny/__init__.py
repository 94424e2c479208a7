"""The network that ships with the package: its layers as data, as a torch module and as an ONNX graph."""
