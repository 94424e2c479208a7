"""Decode CEA-708 captions (DTVCC) of one service to text; colors, fonts and places are ignored.

Source: CTA-708-E. Caption channel packets are assembled from the ``cc_data`` triples of the pictures (ATSC A/53); their
service blocks hold characters and commands for up to eight windows. The text on the screen is that of all visible
windows, from top to bottom.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Cue", "DtvccDecoder"]

Cue = tuple[Fraction, Fraction, str]  # start and end, seconds of the film; text

_START, _DATA = 3, 2  # kinds of cc_data triples that belong to DTVCC
_ROWS, _COLUMNS = 15, 42  # of a window, at most
# Number of parameter bytes of the commands 0x80 to 0x9F.
_PARAMETERS = {0x88: 1, 0x89: 1, 0x8A: 1, 0x8B: 1, 0x8C: 1, 0x8D: 1, 0x90: 2, 0x91: 3, 0x92: 2, 0x97: 4}
_PARAMETERS |= dict.fromkeys(range(0x98, 0xA0), 6)
# Characters of the extended set G2.
_G2 = {0x20: " ", 0x21: "\N{NO-BREAK SPACE}", 0x25: "…", 0x2A: "Š", 0x2C: "Œ", 0x30: "█", 0x31: "‘", 0x32: "’"}
_G2 |= {0x33: "“", 0x34: "”", 0x35: "•", 0x39: "™", 0x3A: "š", 0x3C: "œ", 0x3D: "℠", 0x3F: "Ÿ"}
_G2 |= {0x76: "⅛", 0x77: "⅜", 0x78: "⅝", 0x79: "⅞"}


@dataclass(slots=True)
class _Window:
    visible: bool = False
    top: int = 0  # place on the screen
    rows: int = 1
    row: int = 0
    column: int = 0
    lines: dict[int, dict[int, str]] = field(default_factory=dict)

    def write(self, letter: str) -> None:
        if self.column < _COLUMNS:
            self.lines.setdefault(self.row, {})[self.column] = letter
            self.column += 1

    def new_line(self) -> None:
        self.column = 0
        if self.row + 1 < self.rows:
            self.row += 1
            return
        # Roll up: the top line leaves the window.
        self.lines = {row - 1: line for row, line in self.lines.items() if row > 0}
        self.row = self.rows - 1

    def clear(self) -> None:
        self.lines.clear()
        self.row = self.column = 0

    def text(self) -> list[str]:
        rows = [self.lines[row] for row in sorted(self.lines)]
        return ["".join(line.get(n, " ") for n in range(max(line) + 1)).strip() for line in rows if line]


class DtvccDecoder:
    """Decodes the captions of one service; give it the data of all pictures in order of presentation.

    Parameters
    ----------
    service : int
        1 = the main language.
    """

    def __init__(self, service: int = 1) -> None:
        self._service = service
        self._packet = bytearray()
        self._windows: dict[int, _Window] = {}
        self._current: _Window | None = None
        self._shown, self._since = "", Fraction(0)
        self.others: set[int] = set()  # further services that hold captions

    def push(self, data: bytes, time: Fraction) -> list[Cue]:
        """Take the ``cc_data`` of the picture at ``time``, seconds; return the cues that end there."""
        for place in range(0, len(data) - 2, 3):
            kind, valid = data[place] & 3, data[place] & 4
            if kind == _START:
                self._finish_packet()
            if valid and kind in (_START, _DATA):
                self._packet += data[place + 1 : place + 3]
                if len(self._packet) >= self._wanted():
                    self._finish_packet()
        return self._changes(time)

    def finish(self, time: Fraction) -> list[Cue]:
        """Return the last cue, which ends at ``time``, seconds, at the latest."""
        self._finish_packet()
        self._windows.clear()
        return self._changes(time)

    def _changes(self, time: Fraction) -> list[Cue]:
        visible = sorted((window for window in self._windows.values() if window.visible), key=lambda one: one.top)
        text = "\n".join(line for window in visible for line in window.text() if line)
        if text == self._shown:
            return []
        before, since = self._shown, self._since
        self._shown = text
        if before and text.startswith(before) and "\n" not in text[len(before) :]:
            return []  # letters join the same line: one cue, from its first letter on
        self._since = time
        return [(since, time, before)] if before else []

    def _wanted(self) -> int:
        return 2 * (self._packet[0] & 0x3F or 64) if self._packet else 128

    def _finish_packet(self) -> None:
        packet, self._packet = bytes(self._packet), bytearray()
        place = 1
        while place < len(packet):
            service, length = packet[place] >> 5, packet[place] & 31
            place += 1
            if service == 7 and length and place < len(packet):
                service, place = packet[place] & 63, place + 1
            if service == 0:
                return
            block = packet[place : place + length]
            place += length
            if service == self._service:
                self._decode(block)
            elif block:
                self.others.add(service)

    def _decode(self, block: bytes) -> None:
        place = 0
        while place < len(block):
            code = block[place]
            place += 1
            if code == 0x10 and place < len(block):
                place = self._extended(block[place], place + 1)
            elif code < 0x20:
                self._control(code)
                place += 0 if code < 0x10 else 1 if code < 0x18 else 2
            elif 0x80 <= code < 0xA0:
                end = place + _PARAMETERS.get(code, 0)
                self._command(code, block[place:end].ljust(6, b"\0"))
                place = end
            elif self._current is not None:
                self._current.write("♪" if code == 0x7F else bytes([code]).decode("latin-1"))

    def _extended(self, code: int, place: int) -> int:
        """Take a code of the sets C2, C3, G2 and G3; return where the next one begins."""
        if code < 0x20:
            return place + code // 8
        if 0x80 <= code < 0xA0:
            return place + (4 if code < 0x88 else 5)
        if self._current is not None:
            self._current.write(_G2.get(code, "_"))
        return place

    def _control(self, code: int) -> None:
        window = self._current
        if window is None:
            return
        if code == 0x08:  # backspace
            window.column = max(0, window.column - 1)
            window.lines.get(window.row, {}).pop(window.column, None)
        elif code == 0x0C:  # form feed
            window.clear()
        elif code == 0x0D:  # carriage return
            window.new_line()
        elif code == 0x0E:  # horizontal carriage return
            window.lines.pop(window.row, None)
            window.column = 0

    def _command(self, code: int, data: bytes) -> None:
        named = [self._windows[n] for n in range(8) if data[0] >> n & 1 and n in self._windows]
        if code < 0x88:
            self._current = self._windows.get(code - 0x80)
        elif code == 0x88:
            for window in named:
                window.clear()
        elif code in (0x89, 0x8A, 0x8B):  # show, hide, toggle
            for window in named:
                window.visible = code == 0x89 or (code == 0x8B and not window.visible)
        elif code == 0x8C:
            self._delete(data[0])
        elif code == 0x8F:
            self._delete(255)
        elif code == 0x92 and self._current is not None:  # pen location
            self._current.row = min(data[0] & 15, _ROWS - 1)
            self._current.column = min(data[1] & 63, _COLUMNS - 1)
        elif code >= 0x98:
            self._define(code - 0x98, data)

    def _delete(self, windows: int) -> None:
        for n in range(8):
            if windows >> n & 1:
                gone = self._windows.pop(n, None)
                self._current = None if gone is self._current else self._current

    def _define(self, number: int, data: bytes) -> None:
        window = self._windows.setdefault(number, _Window())
        window.visible = bool(data[0] & 0x20)
        window.top = data[1] & 0x7F
        window.rows = min((data[3] & 15) + 1, _ROWS)
        self._current = window
