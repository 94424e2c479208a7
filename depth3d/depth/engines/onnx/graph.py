"""Write a neural network as an ONNX graph in memory, with nothing but numpy.

onnxruntime and OpenCV run it without torch. Only what the shipped network needs is here: one input, one output,
float32 weights inside. Sources: onnx.proto (ONNX 1.14, IR version 8, operator set 13) and the wire format of protocol
buffers: a message is a sequence of fields, each with its number, a kind (0 = integer, 2 = bytes) and a value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["OnnxGraph"]

_IR_VERSION, _OPERATOR_SET = 8, 13
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 2, 3, 7  # AttributeProto.AttributeType

Attribute = int | str | Sequence[int]


class OnnxGraph:
    """An ONNX graph that grows node by node.

    Parameters
    ----------
    shape : Sequence[int]
        Shape of the float32 input, which is called "input".
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._shape = tuple(shape)
        self._nodes: list[bytes] = []
        self._initializers: list[bytes] = []

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant tensor of float32 or int64 numbers; return its name."""
        name = f"constant{len(self._initializers)}"
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        data = np.ascontiguousarray(values, np.int64 if kind == _INT64 else np.float32).tobytes()
        dims = b"".join(_integer(1, side) for side in values.shape)
        self._initializers.append(dims + _integer(2, kind) + _text(8, name) + _bytes(9, data))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """Add an operator with one output; return the output's name."""
        name = f"node{len(self._nodes)}"
        fields = b"".join(_text(1, one) for one in inputs) + _text(2, name) + _text(3, name) + _text(4, operator)
        fields += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        self._nodes.append(fields)
        return name

    def model(self, output: str, shape: Sequence[int]) -> bytes:
        """Return the ONNX file whose output is the tensor named ``output``, of this shape."""
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _text(2, "graph")
        graph += b"".join(_bytes(5, tensor) for tensor in self._initializers)
        graph += _bytes(11, _value("input", self._shape)) + _bytes(12, _value(output, shape))
        return _integer(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _text(1, "") + _integer(2, _OPERATOR_SET))


def _varint(value: int) -> bytes:
    """Seven bits at a time, lowest first; negative numbers as 64 bits of two's complement."""
    value &= (1 << 64) - 1
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto."""
    if isinstance(value, int):
        return _text(1, name) + _integer(3, value) + _integer(20, _ATTRIBUTE_INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _integer(20, _ATTRIBUTE_STRING)
    return _text(1, name) + b"".join(_integer(8, one) for one in value) + _integer(20, _ATTRIBUTE_INTS)


def _value(name: str, shape: Sequence[int]) -> bytes:
    """ValueInfoProto of a float32 tensor."""
    tensor = _integer(1, _FLOAT) + _bytes(2, b"".join(_bytes(1, _integer(1, side)) for side in shape))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))
