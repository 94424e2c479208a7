"""Random augmentation of a picture and its inverse depth: crop, rotation, mirroring, color, blur, noise, JPEG."""

import cv2
import numpy as np
from numpy.typing import NDArray

Generator = np.random.Generator
Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]


def crop(picture: Picture, inverse: Plane, height: int, width: int, rng: Generator) -> tuple[Picture, Plane]:
    """Resample a random window, a little rotated and stretched, half of the time mirrored, to height x width."""
    rows, columns = inverse.shape
    largest = min(rows / height, columns / width)
    scale = largest * rng.uniform(0.55, 1.0) ** 0.5
    stretch = np.exp(rng.uniform(-0.08, 0.08)) if scale < 0.9 * largest else 1.0
    angle = np.deg2rad(rng.normal(0.0, 2.0)) if rng.random() < 0.5 else 0.0
    scale_x, scale_y = scale * stretch, scale / stretch
    spare_x, spare_y = max(columns - width * scale_x, 0), max(rows - height * scale_y, 0)
    left, top = rng.uniform(0, 1) * spare_x, rng.uniform(0, 1) * spare_y
    center = np.array([left + width * scale_x / 2, top + height * scale_y / 2])
    flip = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        [scale_x * flip, scale_y]
    )
    matrix = np.column_stack([turn, center - turn @ np.array([(width - 1) / 2, (height - 1) / 2]) - 0.5])
    inward = cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR | inward, borderMode=cv2.BORDER_REFLECT_101
    )
    inverse = cv2.warpAffine(
        inverse, matrix, (width, height), flags=cv2.INTER_NEAREST | inward, borderMode=cv2.BORDER_REFLECT_101
    )
    return picture, inverse


def relight(picture: Picture, rng: Generator) -> Picture:
    """Change exposure, contrast, gamma, cast and saturation; at times gray, blur, noise or JPEG blocks."""
    x = picture.astype(np.float32) / 255.0
    x = x ** np.float32(np.exp(rng.normal(0, 0.25)))
    x = (x - 0.45) * np.float32(np.exp(rng.normal(0, 0.2))) + np.float32(0.45 + rng.normal(0, 0.06))
    x *= np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    saturation = np.float32(0.0 if rng.random() < 0.08 else np.exp(rng.normal(0, 0.35)))
    gray = x.mean(axis=2, keepdims=True)
    x = gray + (x - gray) * saturation
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.4))
    if rng.random() < 0.25:
        x += rng.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(0.005, 0.04))
    result = np.clip(x * 255.0 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        _, packed = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        result = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return result


def augment(picture: Picture, inverse: Plane, height: int, width: int, rng: Generator) -> tuple[Picture, Plane]:
    """Crop picture (H, W, 3) and inverse depth (H, W) alike, then change the picture's colors."""
    picture, inverse = crop(picture, inverse, height, width, rng)
    return relight(picture, rng), inverse
