"""Depth from stereo pairs: alignment, matching, consistency."""
