"""Damaged copies of files, the same for the same seed."""

from __future__ import annotations

import os
import random
import re
import struct

SEED = int(os.environ.get("DEPTH3D_SEED", "19"))
SHARE = float(os.environ.get("DEPTH3D_MUTANTS", "1"))  # of the usual number of mutants


def mutant(data: bytes, chance: random.Random) -> bytes:
    """The file with one to twenty changes of bytes, lengths and order."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if len(changed) < 8:
            break
        # Headers are at the start: most changes go there.
        place = int(len(changed) * chance.random() ** chance.choice((1, 4)))
        kind = chance.randrange(6)
        if kind == 0:
            changed[place] = chance.randrange(256)
        elif kind == 1:
            changed[place : place + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\x2a\xf8"))
        elif kind == 2:
            del changed[place : place + chance.randrange(1, 64)]
        elif kind == 3:
            changed[place:place] = changed[place : place + chance.randrange(1, 64)]
        elif kind == 4:
            changed[place : place + 2] = struct.pack(">H", chance.randrange(65536))
        else:
            del changed[max(place, 4) :]
    return bytes(changed)


WORDS = [
    "1e308",
    "-1",
    "0",
    "1e-320",
    "9" * 5000,
    "NaN",
    "nan",
    "inf",
    "null",
    "true",
    '"a"',
    "[]",
    "{}",
    "[[1]]",
    "''",
]
WORDS += [
    "[" * 2000,
    '{"a":' * 2000,
    "\0",
    "\u202e",
    "1979-05-27",
    "-0.0",
    "10000000000000",
    '"\\ud800"',
    "0x10",
    "=",
    "\n",
]


def text_mutant(text: str, chance: random.Random) -> bytes:
    """The text with words or whole lines replaced; now and then with damaged bytes."""
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        # White space stays as it is: "[ [shot]]" would be no TOML, so that nothing behind the parser was tried.
        tokens = re.findall(r"\s+|[\w.+-]+|.", text)
        place = chance.randrange(len(tokens))
        action = chance.randrange(4)
        numbers = [index for index, token in enumerate(tokens) if token[0].isdigit()]
        if numbers and chance.random() < 0.7:  # most damage to punctuation ends in the parser
            place, action = chance.choice(numbers), 3
        if action == 0:
            del tokens[place]
        elif action == 1:
            tokens.insert(place, chance.choice(tokens))
        else:
            tokens[place] = chance.choice(WORDS)
        text = "".join(tokens)
    data = text.encode("utf-8", "surrogatepass")
    return mutant(data, chance) if chance.random() < 0.2 else data
