"""Depth of clips stabilized in time."""
