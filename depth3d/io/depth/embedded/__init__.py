"""Depth inside photos: one module per kind, each with a ``FORMAT`` entry."""
