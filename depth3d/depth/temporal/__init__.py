"""Temporal stabilization of the depth of clips."""
