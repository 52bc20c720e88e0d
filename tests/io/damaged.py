"""Damage done to files, the same for every seed: what a disk, a network, an editor or malice do to them."""

from __future__ import annotations

import random

#: Numbers that a header may claim.
_CLAIMS = (b"999999999999", b"-1", b"1e308", b"nan", b"0", b"4294967295", b"1e-300")


def damage(content: bytes, seed: int) -> bytes:
    """Give back content with bits flipped, an end cut off, a part repeated, lost or overwritten, or a number put in."""
    draw = random.Random(seed)
    data = bytearray(content)
    how = draw.choice(("bits", "bits", "bytes", "cut", "repeat", "lose", "claim"))
    at = draw.randrange(len(data))
    length = draw.randrange(1, 200)
    if how == "bits":
        for _ in range(draw.randint(1, 8)):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif how == "bytes":
        data[at : at + length] = draw.randbytes(len(data[at : at + length]))
    elif how == "cut":
        del data[at:]
    elif how == "repeat":
        data[at:at] = data[at : at + length] * draw.randint(1, 50)
    elif how == "lose":
        del data[at : at + length]
    else:
        data[at:at] = draw.choice(_CLAIMS)
    return bytes(data)


def ends_well(read: object, *arguments: object) -> str:
    """Whether reading ends in a "result" or is "refused" in one line; anything else is raised."""
    try:
        read(*arguments)  # type: ignore[operator]
    except ValueError as error:
        message = str(error)
        assert message, "a refusal without words"
        assert "\n" not in message, f"a refusal of several lines: {message!r}"
        return "refused"
    return "result"
