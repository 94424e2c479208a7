"""Depth edges: sharpening, deblurring, discontinuities, mattes."""
