"""Files in and out: pictures, depth files, stereo files, clips, meshes, pages."""
