"""A clip becomes 3D: jobs, two passes, work folder, shots."""
