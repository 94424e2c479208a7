"""The studio: one page, served on this machine only, where photos and clips become 3D."""
