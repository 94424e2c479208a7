"""Depth from two eyes: alignment, matching, consistency."""
