"""Repairs stereo pictures and clips."""
