"""Optional parts that plug in from outside, each with its own extra."""
