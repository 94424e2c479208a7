"""The networks themselves, one file per family."""
