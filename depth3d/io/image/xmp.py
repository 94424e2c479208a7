"""XMP: the only reader and writer of XMP packets in JPEG files, extended XMP included.

Source: Adobe's XMP specification, parts 1 (data model) and 3 (JPEG: APP1, extended XMP). Kept by hand: Pillow reads
the main packet only and writes no extended one. The packet is parsed once by expat, in linear time; documents with
a DTD are not read, so there are no entities to expand.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from xml.parsers import expat

from depth3d.io.image.jpeg import APP1, JpegSegment, jpeg_segments

__all__ = [
    "Xmp",
    "XmpNode",
    "as_number",
    "decode_base64",
    "describe",
    "is_xmp",
    "parse_xmp",
    "read_xmp",
    "xmp_segments",
]

_MAIN = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_NOTE = "http://ns.adobe.com/xmp/note/"
_PIECE = 65400  # of extended XMP in one segment; header, GUID and two numbers come on top, 65533 is the limit
_DEEPEST, _MOST_NODES, _MOST_SPACES = 64, 20_000, 256  # far beyond any camera's XMP

Name = tuple[str, str]  # namespace, local name

_ESCAPES = {ord(mark): f"&#{ord(mark)};" for mark in '&<>"\n\r\t'}  # xml.sax.saxutils would import urllib and http


@dataclass(slots=True)
class XmpNode:
    """One XML element.

    Parameters
    ----------
    name : Name
        Namespace and local name.
    attributes : dict[Name, str]
        Its attributes, without the namespace declarations.
    children : list[XmpNode]
        The elements inside it.
    texts : list[str]
        Pieces of its own text.
    """

    name: Name
    attributes: dict[Name, str]
    children: list[XmpNode] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text without surrounding white space."""
        return "".join(self.texts).strip()

    def fields(self, namespace: str) -> dict[str, str]:
        """Return the properties of one namespace directly on this node, written as attributes or as elements."""
        found = {local: value for (space, local), value in self.attributes.items() if space == namespace}
        for child in self.children:
            if child.name[0] == namespace:
                found.setdefault(child.name[1], child.text)
        return found

    def walk(self) -> Iterator[XmpNode]:
        """Yield this node and all below it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


class Xmp:
    """The parsed XMP of one picture.

    Parameters
    ----------
    roots : Iterable[XmpNode]
        One root for the main packet and one for the extended packet.
    """

    def __init__(self, roots: Iterable[XmpNode] = ()) -> None:
        self.roots = tuple(roots)

    @cached_property
    def nodes(self) -> list[XmpNode]:
        """All elements in document order."""
        return [node for root in self.roots for node in root.walk()]

    @cached_property
    def _values(self) -> dict[Name, str]:
        found: dict[Name, str] = {}
        for node in self.nodes:
            for name, value in node.attributes.items():
                found.setdefault(name, value)
            found.setdefault(node.name, node.text)
        return found

    def value(self, namespace: str, name: str) -> str | None:
        """Return the first property of this name, written as an attribute or as an element, or None."""
        return self._values.get((namespace, name))

    def number(self, namespace: str, name: str) -> float:
        """Return a property as a finite number between -1e9 and 1e9, or 0 where it is missing or not a number."""
        return as_number(self.value(namespace, name))

    def has(self, namespace: str) -> bool:
        """Return True if any property or element belongs to the namespace."""
        return any(space == namespace for space, _ in self._values)

    def find(self, namespace: str, name: str) -> list[XmpNode]:
        """Return all elements of this name in document order."""
        return [node for node in self.nodes if node.name == (namespace, name)]


def as_number(text: str | None) -> float:
    """Return ``text`` as a finite number between -1e9 and 1e9, or 0 where it is missing, "nan" or out of range.

    Parameters
    ----------
    text : str | None
        As found in the file: untrusted.
    """
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if abs(value) <= 1e9 else 0.0  # NaN compares false


def decode_base64(text: str) -> bytes | None:
    """Return the bytes of base64 text with or without padding and white space, or None if it is none.

    Parameters
    ----------
    text : str
        As found in the file: untrusted.
    """
    packed = "".join(text.split()).rstrip("=")
    try:
        return base64.b64decode(packed.encode("ascii") + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_xmp(segment: JpegSegment) -> bool:
    """Return True if a JPEG segment holds XMP, main or extended."""
    return segment.marker == APP1 and segment.payload.startswith((_MAIN, _EXTENDED))


def read_xmp(data: bytes, start: int = 0) -> Xmp:
    """Return the parsed XMP of the JPEG picture at ``start``, main and extended packet; empty if there is none.

    Parameters
    ----------
    data : bytes
        The file.
    start : int
        Offset of the picture in the file.
    """
    main: bytes | None = None
    pieces: dict[bytes, dict[int, bytes]] = {}
    for segment in jpeg_segments(data, start):
        if segment.marker != APP1:
            continue
        if segment.payload.startswith(_MAIN):
            main = segment.payload[len(_MAIN) :] if main is None else main
        elif segment.payload.startswith(_EXTENDED) and len(segment.payload) > len(_EXTENDED) + 40:
            body = segment.payload[len(_EXTENDED) :]
            (offset,) = struct.unpack_from(">I", body, 36)  # after 32 bytes of GUID and 4 of full length
            pieces.setdefault(body[:32], {})[offset] = body[40:]
    roots = [parse_xmp(main)] if main is not None else []
    if pieces:
        # The packet that the main one names; other ones are left over from editing.
        wanted = (Xmp(roots).value(_NOTE, "HasExtendedXMP") or "").encode("ascii", "ignore")
        parts = pieces.get(wanted) or next(iter(pieces.values()))
        roots.append(parse_xmp(b"".join(parts[offset] for offset in sorted(parts))))
    return Xmp(roots)


def parse_xmp(packet: bytes) -> XmpNode:
    """Parse one packet into a tree; what follows an XML error is left out.

    Undeclared prefixes, which some cameras write, become their own namespace.

    Parameters
    ----------
    packet : bytes
        UTF-8 XML, with or without the ``xpacket`` wrapper and padding.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    # Offset 0 is where the XML starts: some writers put zeros or a byte order mark in front.
    first = max(packet.find(b"<"), 0)
    with contextlib.suppress(expat.ExpatError, _Stop, ValueError):
        parser.Parse(packet[first:].decode("utf-8", "replace").encode(), True)
    return builder.root


class _Stop(Exception):
    """Ends the parsing of a packet that is not XMP of any camera."""


class _Builder:
    def __init__(self) -> None:
        self.root = XmpNode(("", ""), {})
        self._stack = [self.root]
        self._spaces: list[dict[str, str]] = [{"xml": "xml", "": ""}]
        self._count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1 + len(attributes)
        if len(self._stack) > _DEEPEST or self._count > _MOST_NODES:
            raise _Stop
        declared = {key[6:]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        if "xmlns" in attributes:
            declared[""] = attributes["xmlns"]
        if len(self._spaces[-1]) + len(declared) > _MOST_SPACES:
            raise _Stop
        self._spaces.append({**self._spaces[-1], **declared} if declared else self._spaces[-1])
        values = {
            self._name(key, plain=""): value for key, value in attributes.items() if key.partition(":")[0] != "xmlns"
        }
        node = XmpNode(self._name(name, plain=self._spaces[-1][""]), values)
        self._stack[-1].children.append(node)
        self._stack.append(node)

    def end(self, _name: str) -> None:
        self._stack.pop()
        self._spaces.pop()

    def text(self, text: str) -> None:
        self._stack[-1].texts.append(text)

    def doctype(self, *_: object) -> None:
        raise _Stop

    def _name(self, name: str, *, plain: str) -> Name:
        prefix, colon, local = name.rpartition(":")
        return (self._spaces[-1].get(prefix, prefix), local) if colon else (plain, local)


def describe(spaces: Mapping[str, str], attributes: Mapping[str, str], body: str = "") -> str:
    """Return one ``rdf:Description`` element.

    Parameters
    ----------
    spaces : Mapping[str, str]
        Prefix -> namespace.
    attributes : Mapping[str, str]
        ``Prefix:Name`` -> value, not escaped yet.
    body : str
        XML inside the element.
    """
    declared = "".join(f' xmlns:{prefix}="{space.translate(_ESCAPES)}"' for prefix, space in spaces.items())
    values = "".join(f' {name}="{value.translate(_ESCAPES)}"' for name, value in attributes.items())
    return f'<rdf:Description rdf:about=""{declared}{values}>{body}</rdf:Description>'


def xmp_segments(
    spaces: Mapping[str, str],
    attributes: Mapping[str, str],
    body: str = "",
    *,
    extended: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield the (marker, payload) of the segments that hold an XMP packet, the main one first.

    Parameters
    ----------
    spaces : Mapping[str, str]
        Prefix -> namespace of the main packet.
    attributes : Mapping[str, str]
        ``Prefix:Name`` -> value of the main packet.
    body : str
        XML inside the main description.
    extended : tuple[Mapping[str, str], Mapping[str, str]] | None
        Spaces and attributes of the extended packet, for values beyond 64 kB.
    """
    spaces, attributes = dict(spaces), dict(attributes)
    packet, name = b"", ""
    if extended is not None:
        packet = _meta(describe(*extended)).encode()
        name = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()  # the specification wants MD5
        spaces["xmpNote"] = _NOTE
        attributes["xmpNote:HasExtendedXMP"] = name
    # The wrapper is for programs that look for XMP without knowing the file's format.
    wrapped = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'{_meta(describe(spaces, attributes, body))}<?xpacket end="w"?>'
    )
    yield APP1, _MAIN + wrapped.encode()
    for offset in range(0, len(packet), _PIECE):
        head = name.encode() + struct.pack(">II", len(packet), offset)
        yield APP1, _EXTENDED + head + packet[offset : offset + _PIECE]


def _meta(description: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{description}</rdf:RDF></x:xmpmeta>"
    )
