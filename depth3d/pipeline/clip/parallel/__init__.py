"""Runs the parts of a clip conversion in other processes or on other machines."""
