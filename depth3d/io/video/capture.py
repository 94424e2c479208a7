"""Read a camera, the screen, a network stream, or a clip in real time: always the newest picture, late ones dropped."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from depth3d.errors import Depth3DError, InvalidInput, ReadError, VideoError, in_words
from depth3d.image import Image
from depth3d.io.video.color import Converter, bit_depth, side_data, stored_color
from depth3d.io.video.orientation import orientation_of
from depth3d.io.video.suffixes import is_clip

__all__ = ["Capture", "Captured", "check_source"]

# Scheme -> protocols that FFmpeg may use for it. Others, as files named by a playlist from the network, are refused.
_PROTOCOLS = {
    "udp": "udp",
    "tcp": "tcp",
    "http": "http,tcp",
    "https": "https,http,tls,tcp",
    "rtp": "rtp,udp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "srt": "srt",
}
_OPEN_SECONDS, _READ_SECONDS = 20.0, 10.0
_CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_DAMAGED = 100  # consecutive packets


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """One picture, upright, with the time at which it was received (``time.monotonic``)."""

    image: Image
    received: float


class Capture:
    """A live source that a thread decodes; a context manager.

    Pictures that were not taken before the next one came are dropped and counted.

    Parameters
    ----------
    source : str
        "camera", "camera:1" (Windows: "camera:NAME"), "screen", an address (udp, tcp, http, https, rtp, rtsp, srt) or
        a clip, which is played at its own speed.

    Raises
    ------
    ReadError
        If the source cannot be opened or has no pictures.
    InvalidInput
        For addresses of other kinds, and for photos.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.dropped = self.received = 0
        self._place, self._format, self._options = _described(source)
        self._plays = self._format is None and "://" not in source
        self._changed = threading.Condition()
        self._newest: tuple[Any, float] | None = None
        self._error: Depth3DError | None = None
        self._ended = self._stopped = False
        self._converter: Converter | None = None
        self._container = self._open()
        self._thread = threading.Thread(target=self._decode, name="capture", daemon=True)

    def __enter__(self) -> Capture:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(_READ_SECONDS + 1)
        if not self._thread.is_alive():
            self._container.close()

    def take(self) -> Captured | None:
        """Wait for a picture that was not taken yet; None at the end of the source.

        Raises ``VideoError`` if the source broke.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended or self._stopped)
            found, self._newest = self._newest, None
            self._changed.notify_all()
        if found is None:
            if self._error is not None:
                raise self._error
            return None
        frame, received = found
        if self._converter is None:
            self._converter = Converter(stored_color(frame), bit_depth(frame), tone_map=True)
        pixels = self._converter.image(frame)
        turned = orientation_of(side_data(frame, "DISPLAYMATRIX"), int(frame.rotation)).apply(pixels)
        return Captured(Image(np.ascontiguousarray(turned)).eight_bit(), received)

    def _open(self) -> Any:
        try:
            container = av.open(
                self._place, format=self._format, options=self._options, timeout=(_OPEN_SECONDS, _READ_SECONDS)
            )
        except (av.error.ExitError, av.error.TimeoutError) as error:  # FFmpeg was told to give up
            raise ReadError(self.source, f"nothing came in {_OPEN_SECONDS:g} s; is it being sent?") from error
        except (av.error.FFmpegError, ValueError, OSError) as error:
            reason = in_words(error)
            raise ReadError(self.source, f"cannot be opened: {reason.lower()}{_advice(self.source)}") from error
        if not container.streams.video:
            container.close()
            raise ReadError(self.source, "has no pictures")
        container.streams.video[0].thread_type = "SLICE"  # threads per frame would hold frames back
        return container

    def _decode(self) -> None:
        try:
            self._receive()
        except Depth3DError as error:
            self._error = error
        except (av.error.FFmpegError, ValueError, OSError) as error:
            if not isinstance(error, av.error.EOFError):
                reason = in_words(error)
                self._error = VideoError(f"{self.source}: the source broke off: {reason.lower()}")
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _receive(self) -> None:
        stream = self._container.streams.video[0]
        began = first = None
        damaged = 0
        for packet in self._container.demux(stream):
            try:
                frames = packet.decode()
                damaged = 0
            except (av.error.FFmpegError, ValueError) as error:  # a stream that is joined in its middle
                damaged += 1
                if damaged > _DAMAGED:
                    raise VideoError(f"{self.source}: too many damaged packets in a row") from error
                continue
            for frame in frames:
                if self._plays and frame.time is not None:
                    began, first = (time.monotonic(), frame.time) if began is None else (began, first)
                    self._wait_until(began + frame.time - (first or 0))
                if self._stopped:
                    return
                self._put(frame)

    def _wait_until(self, moment: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, max(0.0, moment - time.monotonic()))

    def _put(self, frame: Any) -> None:
        with self._changed:
            self.dropped += self._newest is not None
            self.received += 1
            self._newest = frame, time.monotonic()
            self._changed.notify_all()


def check_source(source: str) -> None:
    """Raise the error of ``Capture`` for a source that cannot be one: no file, no clip, another kind of address."""
    _described(source)


def _described(source: str) -> tuple[str, str | None, dict[str, str]]:
    """Return what FFmpeg opens: place, input format or None, options."""
    kind, _, which = source.partition(":")
    if kind == "camera" and not which.startswith("//"):
        format = _CAMERAS.get(sys.platform, "v4l2")
        place = {"v4l2": f"/dev/video{which or 0}", "avfoundation": which or "0", "dshow": f"video={which}"}[format]
        return place, format, {"framerate": "30"} if format == "avfoundation" else {}
    if source == "screen":
        if sys.platform == "darwin":
            return "Capture screen 0", "avfoundation", {"framerate": "30"}
        if sys.platform == "win32":
            return "desktop", "gdigrab", {"framerate": "30"}
        return os.environ.get("DISPLAY", ":0"), "x11grab", {"framerate": "30"}
    address = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    if address is None:
        if not Path(source).is_file():
            raise ReadError(source, "no such file; expected camera, camera:1, screen, udp://HOST:PORT or a clip")
        if not is_clip(Path(source)):
            raise InvalidInput(f"{source} is not a clip; expected camera, camera:1, screen, udp://HOST:PORT or a clip")
        return source, None, {"protocol_whitelist": "file"}
    scheme = address[1].lower()
    if scheme not in _PROTOCOLS:
        raise InvalidInput(f"{source}: {scheme} is not a protocol of streams; expected one of {', '.join(_PROTOCOLS)}")
    options = {"protocol_whitelist": _PROTOCOLS[scheme], "fflags": "nobuffer", "flags": "low_delay"}
    return source, None, options | ({"overrun_nonfatal": "1"} if scheme == "udp" else {})


def _advice(source: str) -> str:
    if source.startswith("camera") and "://" not in source:
        return "; is it plugged in, free, and allowed for this user (Linux: group video)?"
    if source == "screen":
        return "; Linux needs X11 ($DISPLAY), macOS the permission to record the screen"
    return ""
