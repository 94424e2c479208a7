"""Convolutions for the CPU in float32."""
