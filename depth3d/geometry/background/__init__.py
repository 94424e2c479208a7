"""Disoccluded background: extended, filled, textured."""
