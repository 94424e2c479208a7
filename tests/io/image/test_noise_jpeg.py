"""Pictures that do not compress are saved all the same."""

from __future__ import annotations

import cv2
import numpy as np

from depth3d.image import Image
from depth3d.io.image.read import encode_image


def test_noise_is_saved_as_jpeg_of_every_quality() -> None:
    noise = Image(np.random.default_rng(4).integers(0, 255, (250, 640, 3), np.uint8))
    for quality in (60, 85, 90, 95, 100):
        data = encode_image(noise, ".jpg", quality=quality)
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (250, 640, 3)
