"""Pictures become depth: networks, stereo matching, upsampling, temporal smoothing. torch lives here."""
