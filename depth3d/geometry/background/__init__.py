"""Computes the depth and color of the disoccluded background."""
