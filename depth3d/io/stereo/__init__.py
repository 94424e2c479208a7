"""Stereo pictures from and to files, one module a format."""
