"""Sets of lead numbers as bitmaps in chunks, and the bytes in which a chunk is stored. Pure.

Numbers are dense (decision D3), so a set of leads is mostly a run of bits. A chunk covers 4,096 numbers: at most 512
bytes, so that its item stays under 1 KiB and a touched chunk costs one write unit. Python's integers do the algebra.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SIZE = 4096
FULL = (1 << SIZE) - 1
_BYTES = SIZE // 8
_BITS, _ONES, _ZEROS = b"\x00", b"\x01", b"\x02"
"""How the rest of a stored chunk reads: raw bits, sorted offsets of the ones, sorted offsets of the zeros."""
_FEW = (_BYTES - 1) // 2
"""Offsets take two bytes each: with more of them raw bits are smaller."""


def place(number: int) -> tuple[int, int]:
    """The chunk of a number, and its bit there."""
    chunk, offset = divmod(number, SIZE)
    return chunk, 1 << offset


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A set of numbers: chunk to its bits. Chunks without bits may be missing; operations make new bitmaps."""

    chunks: dict[int, int] = field(default_factory=dict)

    def __and__(self, other: Bitmap) -> Bitmap:
        small, large = sorted((self.chunks, other.chunks), key=len)
        return Bitmap({chunk: bits for chunk in small if (bits := small[chunk] & large.get(chunk, 0))})

    def __or__(self, other: Bitmap) -> Bitmap:
        joint = dict(self.chunks)
        for chunk, bits in other.chunks.items():
            joint[chunk] = joint.get(chunk, 0) | bits
        return Bitmap(joint)

    def __sub__(self, other: Bitmap) -> Bitmap:
        rest = ((chunk, bits & ~other.chunks.get(chunk, 0)) for chunk, bits in self.chunks.items())
        return Bitmap({chunk: bits for chunk, bits in rest if bits})

    def __contains__(self, number: int) -> bool:
        chunk, bit = place(number)
        return bool(self.chunks.get(chunk, 0) & bit)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self.chunks.values())

    def __iter__(self) -> Iterator[int]:
        return self.numbers(descending=False)

    def numbers(self, *, descending: bool) -> Iterator[int]:
        for chunk in sorted(self.chunks, reverse=descending):
            yield from _numbers(chunk, self.chunks[chunk], descending=descending)

    def select(self, offset: int, limit: int, *, descending: bool) -> list[int]:
        """The numbers from `offset` on, at most `limit`; whole chunks before them are skipped by their count."""
        found: list[int] = []
        for chunk in sorted(self.chunks, reverse=descending):
            bits = self.chunks[chunk]
            count = bits.bit_count()
            if offset >= count:
                offset -= count
                continue
            rest = list(_numbers(chunk, bits, descending=descending))[offset : offset + limit - len(found)]
            found, offset = found + rest, 0
            if len(found) == limit:
                break
        return found

    def between(self, low: int, high: int) -> Bitmap:
        """Only the numbers from `low` to `high`, both included."""
        kept = {}
        for chunk, bits in self.chunks.items():
            first = chunk * SIZE
            if first > high or first + SIZE <= low:
                continue
            above = FULL << max(0, low - first) & FULL
            below = FULL >> max(0, first + SIZE - 1 - high)
            kept[chunk] = bits & above & below
        return Bitmap(kept)


def of_numbers(numbers: Iterable[int]) -> Bitmap:
    chunks: dict[int, int] = {}
    for number in numbers:
        chunk, offset = divmod(number, SIZE)
        chunks[chunk] = chunks.get(chunk, 0) | 1 << offset
    return Bitmap(chunks)


def encode(bits: int) -> bytes:
    """The smallest of the three forms."""
    ones = bits.bit_count()
    if ones <= _FEW:
        return _ONES + _offsets(bits)
    if SIZE - ones <= _FEW:
        return _ZEROS + _offsets(bits ^ FULL)
    return _BITS + bits.to_bytes(_BYTES, "little")


def decode(stored: bytes) -> int:
    form, body = stored[:1], stored[1:]
    if form == _BITS:
        return int.from_bytes(body, "little")
    offsets = array("H", body)
    if sys.byteorder == "big":
        offsets.byteswap()
    bits = bytearray(_BYTES)
    for offset in offsets:
        bits[offset >> 3] |= 1 << (offset & 7)
    value = int.from_bytes(bits, "little")
    return value ^ FULL if form == _ZEROS else value


def _offsets(bits: int) -> bytes:
    offsets = array("H", _numbers(0, bits, descending=False))
    if sys.byteorder == "big":
        offsets.byteswap()
    return offsets.tobytes()


def _numbers(chunk: int, bits: int, *, descending: bool) -> Iterator[int]:
    first = chunk * SIZE
    while bits:
        offset = bits.bit_length() - 1 if descending else (bits & -bits).bit_length() - 1
        yield first + offset
        bits ^= 1 << offset
