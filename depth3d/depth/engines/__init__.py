"""Inference engines: torch, OpenVINO, OpenCV, onnxruntime."""
