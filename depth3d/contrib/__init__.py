"""Engines that plug in from outside."""
