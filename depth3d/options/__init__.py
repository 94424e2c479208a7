"""Every option of depth3d with its default, its range and its help text, once.

Frozen dataclasses that the Python functions, the command line and worker processes share. The command line builds
its flags from these fields. A value out of its range or of another type raises ``InvalidOption`` when the object is
made (``depth3d.validation``). Options that several commands share are mixins (``shared``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depth3d.options.cluster import ClusterOptions
from depth3d.options.depth import DepthMapOptions, DepthOptions, StabilizeOptions
from depth3d.options.fix import FixOptions
from depth3d.options.live import LiveOptions
from depth3d.options.scene import AnimateOptions, MeshOptions, ViewOptions
from depth3d.options.shared import BatchOptions, OutputOptions, Quality, percent
from depth3d.options.stereo import CheckOptions, Eyes, StereoOptions
from depth3d.options.studio import StudioOptions
from depth3d.options.video import VideoOptions
from depth3d.quantities import frame_rate
from depth3d.validation import changed, nothing_left

__all__ = [
    "AnimateOptions",
    "BatchOptions",
    "CheckOptions",
    "ClusterOptions",
    "DepthMapOptions",
    "DepthOptions",
    "Eyes",
    "FixOptions",
    "LiveOptions",
    "MeshOptions",
    "OutputOptions",
    "Quality",
    "StabilizeOptions",
    "StereoOptions",
    "StudioOptions",
    "VideoOptions",
    "ViewOptions",
    "changed",
    "frame_rate",
    "nothing_left",
    "percent",
]

ALL_OPTIONS: Sequence[type[Any]] = (
    *(AnimateOptions, StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, DepthMapOptions, MeshOptions),
    *(ViewOptions, CheckOptions, FixOptions, LiveOptions, ClusterOptions, OutputOptions, BatchOptions),
)
