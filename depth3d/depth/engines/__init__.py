"""Inference engines: torch, OpenVINO, ONNX files."""
