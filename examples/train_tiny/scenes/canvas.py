"""A small ray caster with exact inverse depth: planes, boxes, ellipsoids, height fields and upright cut-outs.

World: X right, Y up, Z forward, eye at (0, height, 0), ground Y = 0. Depth is measured along the optical axis, as a
z-buffer does, so that inverse depth is linear over the picture of any plane.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from textures import Texture

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Vector = NDArray[np.float32]


def vector(*values: float) -> Vector:
    """float32 array of the given values."""
    return np.array(values, np.float32)


class Light(NamedTuple):
    """Unit direction to the lamp, its share of all light, and haze: its color and the distance where it covers 63 %."""

    direction: Vector
    share: float
    haze: Vector
    reach: float

    def shade(self, normal: Vector) -> Plane:
        """Brightness factor of normals (..., 3)."""
        facing = np.clip(normal @ self.direction, 0, None)
        return np.asarray(1.0 - self.share + 1.4 * self.share * facing, np.float32)


class Canvas:
    """Color (H, W, 3) in [0, 1] and inverse depth (H, W), 0 = infinitely far, both filled by the paint methods."""

    def __init__(self, height: int, width: int, view: float, pitch: float, eye: float, light: Light) -> None:
        """`view` = horizontal field of view, `pitch` = downward tilt, both in radians; `eye` = height above ground."""
        self.height, self.width, self.eye, self.light = height, width, eye, light
        self.focal = 0.5 * width / np.tan(0.5 * view)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        right, up = (x + 0.5 - width / 2) / self.focal, (height / 2 - y - 0.5) / self.focal
        self.sine, self.cosine = float(np.sin(pitch)), float(np.cos(pitch))
        self.rays = np.stack([right, up * self.cosine - self.sine, up * self.sine + self.cosine], axis=2)
        self.origin = vector(0, eye, 0)
        self.color = np.zeros((height, width, 3), np.float32)
        self.inverse = np.zeros((height, width), np.float32)

    def project(self, points: Vector) -> tuple[Plane, Plane, Plane]:
        """World points (K, 3) -> column, row, depth, each (K,)."""
        away = points - self.origin
        depth = away[:, 2] * self.cosine - away[:, 1] * self.sine
        up = away[:, 1] * self.cosine + away[:, 2] * self.sine
        safe = np.maximum(depth, 1e-3)
        return self.width / 2 + self.focal * away[:, 0] / safe, self.height / 2 - self.focal * up / safe, depth

    def window(self, points: Vector) -> tuple[slice, slice]:
        """Rows and columns that the hull of points can cover; the whole picture if it reaches behind the camera."""
        x, y, depth = self.project(points)
        if depth.min() < 0.05:
            return slice(0, self.height), slice(0, self.width)
        limits = [
            (int(np.clip(v.min() - 1, 0, n)), int(np.clip(v.max() + 2, 0, n)))
            for v, n in ((y, self.height), (x, self.width))
        ]
        return slice(*limits[0]), slice(*limits[1])

    def paint(self, window: tuple[slice, slice], depth: Plane, mask: Mask, color: Plane) -> None:
        """Draw a surface where it is nearer than what is there; depth, mask and color have the window's shape."""
        inverse = 1.0 / np.maximum(depth, 1e-3)
        visible = mask & (inverse > self.inverse[window])
        haze = 1.0 - np.exp(-np.maximum(depth, 0) / self.light.reach)
        hazy = color + (self.light.haze - color) * haze[:, :, None]
        self.inverse[window][visible] = inverse[visible]
        self.color[window][visible] = hazy[visible]

    def plane(
        self,
        point: Vector,
        normal: Vector,
        across: Vector,
        texture: Texture,
        tile: float,
        *,
        limits: tuple[float, float, float, float] | None = None,
        tint: Callable[[Plane, Plane], Plane] | None = None,
        once: bool = False,
    ) -> None:
        """A textured plane through a point; `tile` = size of a texture tile; limits = a rectangle in plane units.

        With `once`, and limits, the texture covers the rectangle exactly once, upright.
        """
        along = np.cross(normal, across).astype(np.float32)
        facing = self.rays @ normal
        safe = np.where(np.abs(facing) < 1e-5, 1e-5, facing)
        depth = ((point - self.origin) @ normal / safe).astype(np.float32)
        mask = (depth > 0.05) & (depth < 4000)
        hit = self.rays * depth[:, :, None] + (self.origin - point)
        u, v = hit @ across, hit @ along
        if limits is not None:
            mask &= (u >= limits[0]) & (u <= limits[1]) & (v >= limits[2]) & (v <= limits[3])
        if not mask.any():
            return
        grazing = np.maximum(np.abs(facing), 0.02)
        footprint = np.where(mask, depth, 1) / self.focal / np.sqrt(grazing)
        if once and limits is not None:
            wide, high = limits[1] - limits[0], limits[3] - limits[2]
            down = (limits[3] - v if along[1] > 0 else v - limits[2]) / high
            color = texture.sample((u - limits[0]) / wide, down, footprint / high)
        else:
            color = texture.sample(u / tile, v / tile, footprint / tile)
        towards = normal if (self.origin - point) @ normal > 0 else -normal
        color = color * self.light.shade(towards)
        if tint is not None:
            color = color * tint(u, v)
        self.paint((slice(None), slice(None)), depth, mask, color)

    def box(self, center: Vector, size: Vector, turn: float, sides: Texture, top: Texture, tile: float) -> None:
        """A box standing at `center` (of its bottom), turned about the vertical."""
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        turned = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]], np.float32)
        half = size / 2
        middle = center + vector(0, half[1], 0)
        corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float32) * half
        window = self.window(corners @ turned.T + middle)
        rays = self.rays[window] @ turned
        if rays.size == 0:
            return
        start = (self.origin - middle) @ turned
        safe = np.where(np.abs(rays) < 1e-6, 1e-6, rays)
        first, second = (-half - start) / safe, (half - start) / safe
        entry, leave = np.minimum(first, second), np.maximum(first, second)
        depth = entry.max(axis=2)
        mask = (depth < leave.min(axis=2)) & (depth > 0.05)
        if not mask.any():
            return
        axis = entry.argmax(axis=2)
        hit = start + rays * depth[:, :, None]
        u = np.where(axis == 0, hit[:, :, 2], hit[:, :, 0]) + half[0]
        v = np.where(axis == 1, hit[:, :, 2], half[1] - hit[:, :, 1])
        footprint = np.maximum(depth, 0.05) / self.focal / tile
        color = sides.sample(u / tile, v / tile, footprint)
        flat = axis == 1
        if flat.any():
            color[flat] = top.sample(u / tile, v / tile, footprint)[flat]
        signs = -np.sign(np.take_along_axis(rays, axis[:, :, None], axis=2))[:, :, 0]
        normal = np.zeros((*axis.shape, 3), np.float32)
        np.put_along_axis(normal, axis[:, :, None], signs[:, :, None], axis=2)
        color = color * self.light.shade(normal @ turned.T)[:, :, None]
        self.paint(window, depth.astype(np.float32), mask, color)

    def ellipsoid(self, center: Vector, radii: Vector, texture: Texture, repeat: float = 2.0) -> None:
        """An ellipsoid with its axes along the world's, textured by direction."""
        corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float32) * radii
        window = self.window(corners + center)
        rays = self.rays[window] / radii
        if rays.size == 0:
            return
        start = (self.origin - center) / radii
        a, b, c = (rays * rays).sum(axis=2), rays @ start, float(start @ start) - 1.0
        root = b * b - a * c
        mask = root > 0
        depth = (-b - np.sqrt(np.maximum(root, 0))) / a
        mask &= depth > 0.05
        if not mask.any():
            return
        normal = start + rays * depth[:, :, None]
        u, v = np.arctan2(normal[:, :, 0], -normal[:, :, 2]) / np.pi, np.clip(normal[:, :, 1], -1, 1) * 0.5
        footprint = depth / self.focal / float(radii.mean()) / 3.0 * repeat
        color = texture.sample(u * repeat, v * repeat, np.abs(footprint))
        true_normal = normal / radii
        true_normal /= np.linalg.norm(true_normal, axis=2, keepdims=True) + 1e-6
        self.paint(window, depth.astype(np.float32), mask, color * self.light.shade(true_normal)[:, :, None])

    def cutout(
        self, foot: Vector, high: float, alpha: Plane, color: Plane, relief: float = 0.0, shift: Plane | None = None
    ) -> None:
        """An upright picture facing the eye, standing at `foot`, `high` tall; `relief` = how far its middle bulges.

        alpha (h, w) and color (h, w, 3) are the picture; shift (h, w) in [0, 1] = the bulge's profile.
        """
        x, y, depth = self.project(np.stack([foot, foot + vector(0, high, 0)]))
        distance = float(depth[0])
        if distance < 0.2:
            return
        rows, columns = alpha.shape
        tall = abs(float(y[0] - y[1]))
        scale = tall / rows
        if tall < 3 or scale * columns < 2:
            return
        left, top = float(x[0]) - 0.5 * columns * scale, float(y[0]) - tall
        window = (
            slice(max(int(top) - 1, 0), min(int(top + tall) + 2, self.height)),
            slice(max(int(left) - 1, 0), min(int(left + columns * scale) + 2, self.width)),
        )
        if window[0].stop <= window[0].start or window[1].stop <= window[1].start:
            return
        matrix = np.array([[scale, 0, left - window[1].start], [0, scale, top - window[0].start]], np.float32)
        size = (window[1].stop - window[1].start, window[0].stop - window[0].start)
        if scale < 0.6:
            blur = 0.4 / scale
            alpha, color = cv2.GaussianBlur(alpha, (0, 0), blur), cv2.GaussianBlur(color, (0, 0), blur)
        warp = lambda plane: cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # noqa: E731
        cover, body = (
            warp(alpha),
            cv2.warpAffine(color, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        )
        bulge = warp(shift) * relief if shift is not None else np.zeros_like(cover)
        own = np.maximum(distance - bulge, 0.1).astype(np.float32)
        visible = (1.0 / own > self.inverse[window]) & (cover > 0.02)
        haze = 1.0 - float(np.exp(-distance / self.light.reach))
        body = body + (self.light.haze - body) * haze
        share = np.where(visible, cover, 0)[:, :, None]
        self.color[window] += (body - self.color[window]) * share
        solid = visible & (cover > 0.5)
        self.inverse[window][solid] = (1.0 / own)[solid]

    def stroke(self, start: Vector, end: Vector, radius: float, color: Vector) -> None:
        """A thin round bar between two points, drawn as an anti-aliased line; what is too thin to see has no depth."""
        x, y, depth = self.project(np.stack([start, end]))
        if depth.min() < 0.1:
            return
        thickness = 2.0 * radius * self.focal / float(depth.mean())
        pad = thickness / 2 + 2
        if max(x.max(), -x.min(), y.max(), -y.min()) > 4000:
            return
        rows = slice(max(int(y.min() - pad), 0), min(int(y.max() + pad) + 1, self.height))
        columns = slice(max(int(x.min() - pad), 0), min(int(x.max() + pad) + 1, self.width))
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        cover = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        ends = [(int((x[i] - columns.start - 0.5) * 16), int((y[i] - rows.start - 0.5) * 16)) for i in (0, 1)]
        cv2.line(cover, ends[0], ends[1], 255, max(round(thickness), 1), cv2.LINE_AA, 4)
        share = cover.astype(np.float32) * (min(thickness, 1.0) / 255.0)
        across = np.array([x[1] - x[0], y[1] - y[0]], np.float32)
        grid_y, grid_x = np.mgrid[rows, columns].astype(np.float32)
        part = ((grid_x - x[0]) * across[0] + (grid_y - y[0]) * across[1]) / max(float(across @ across), 1e-6)
        inverse = 1.0 / depth[0] + (1.0 / depth[1] - 1.0 / depth[0]) * np.clip(part, 0, 1)  # linear on the screen
        window = (rows, columns)
        share = np.where(inverse > self.inverse[window], share, 0.0)
        haze = 1.0 - float(np.exp(-float(depth.mean()) / self.light.reach))
        self.color[window] += (color + (self.light.haze - color) * haze - self.color[window]) * share[:, :, None]
        solid = share > 0.4
        self.inverse[window][solid] = inverse[solid]

    def path(self, points: Vector, radius: float, color: Vector) -> None:
        """Strokes along a polyline (K, 3)."""
        for start, end in pairwise(points):
            self.stroke(start, end, radius, color)

    def terrain(self, heights: Plane, reach: float, texture: Texture, tile: float) -> None:
        """A height field (steps, columns) over growing distance up to `reach`; drawn without pitch's convergence."""
        steps = len(heights)
        distance = (2.0 * (reach / 2.0) ** (np.arange(steps, dtype=np.float32) / (steps - 1)))[:, None]
        columns = cv2.resize(heights, (self.width, steps), interpolation=cv2.INTER_LINEAR)
        tangent = (columns - self.eye) / distance
        row = self.height / 2 - self.focal * (tangent * self.cosine + self.sine) / np.maximum(
            self.cosine - tangent * self.sine, 0.05
        )
        reached = np.minimum.accumulate(row, axis=0)
        y = np.arange(self.height, dtype=np.float32)
        found = np.stack([np.searchsorted(-reached[:, i], -y, side="left") for i in range(self.width)], axis=1)
        mask = found < steps
        index = np.minimum(found, steps - 1)
        rest = np.take_along_axis(np.vstack([reached[:1] + 1, reached]), index, axis=0)
        here = np.take_along_axis(reached, index, axis=0)
        part = np.clip((rest - y[:, None]) / np.maximum(rest - here, 1e-3), 0, 1)
        logs = np.log(distance[:, 0])
        flat = np.exp(logs[np.maximum(index - 1, 0)] * (1 - part) + logs[index] * part)
        slope = np.gradient(columns, axis=1) * 0.15 * self.width / (distance / self.focal * self.width)
        light = np.clip(1.0 - 0.8 * np.take_along_axis(slope, index, axis=0), 0.45, 1.4)
        side = self.rays[:, :, 0] * flat
        color = texture.sample(side / tile, flat / tile, flat / self.focal / tile * 2.0) * light[:, :, None]
        self.paint((slice(None), slice(None)), flat.astype(np.float32), mask, color.astype(np.float32))
