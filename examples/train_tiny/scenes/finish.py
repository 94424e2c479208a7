"""What the lens does last: depth of field, vignetting, and the picture's 8 bits."""

import cv2
import numpy as np
from numpy.typing import NDArray

Generator = np.random.Generator
Plane = NDArray[np.float32]


def defocus(colour: Plane, inverse: Plane, rng: Generator) -> Plane:
    """Blur grows with the distance, in inverse depth, from the plane in focus."""
    near = inverse / max(float(inverse.max()), 1e-6)
    focus = float(rng.choice(near[::8, ::8].ravel()))
    circle = np.abs(near - focus) * rng.uniform(1.0, 6.0)
    circle = cv2.GaussianBlur(circle, (0, 0), 1.5)
    result, sharper = colour.copy(), 0.0
    for sigma in (1.0, 2.0, 4.0):
        soft = cv2.GaussianBlur(colour, (0, 0), sigma)
        share = np.clip((circle - sharper) / (sigma - sharper), 0, 1)[:, :, None]
        result, sharper = result + (soft - result) * share, sigma
    return np.asarray(result, np.float32)


def develop(colour: Plane, inverse: Plane, rng: Generator) -> NDArray[np.uint8]:
    """Float colours -> 8-bit picture."""
    if rng.random() < 0.25:
        colour = defocus(colour, inverse, rng)
    height, width = inverse.shape
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        colour = colour * (1.0 - rng.uniform(0.05, 0.3) * (x * x + y * y))[:, :, None]
    return np.clip(colour * 255.0 + 0.5, 0, 255).astype(np.uint8)
