"""Packs token vectors into fewer bytes, and unpacks them.

Knows nothing of texts or files. An index has one of these ways for all of its vectors, so that what
packing costs is the same for every text: `float16` keeps two bytes a value; `bits4` and `bits2` keep so
many bits, each value as the nearest of sixteen or four levels, times a scale of the vector's own. The
levels are those that lose least of a normal distribution (Max, "Quantizing for minimum distortion",
1960), which the values of centred token vectors are near; nothing has to be fitted or kept beside the
vectors. The scale gives the unpacked vector unit length.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from index.products import SPAN, ZERO, products

__all__ = ["PACKINGS", "Packing", "packing"]

PACKINGS = ("float16", "bits4", "bits2")
_LEVELS = {
    4: (0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326),
    2: (0.4528, 1.5104),
}
"""Max's levels above zero for a normal distribution of unit variance; below it they are the same, negative."""
_STEPS = 32
"""Steps for each unit of deviation in the table that finds a value's level without comparing it with each."""

_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to keep unit vectors."""

    name: str
    bytes: int
    """Of one vector."""
    pack: Callable[[np.ndarray], np.ndarray]
    """Float32 unit vectors `(n, dim)` to uint8 rows `(n, bytes)`."""
    unpack: Callable[[np.ndarray], np.ndarray]
    """The reverse: float32 unit vectors."""
    dots: Callable[[np.ndarray, np.ndarray], np.ndarray]
    """Packed rows, and float32 vectors `(m, dim)`, to the product of each with each: float32 `(n, m)`. What is kept
    as levels is multiplied as bytes, its scale last, in a third of the time that unpacking it first takes."""


@cache
def packing(name: str, dim: int) -> Packing:
    """The packing of that name for vectors of `dim` values; float16 where its bits do not fill whole bytes.

    Raises:
        ValueError: there is none of that name.

    >>> whole = np.full((1, 32), 32**-0.5, dtype=np.float32)
    >>> way = packing("bits4", 32)
    >>> way.bytes, way.unpack(way.pack(whole)).round(3).tolist() == whole.round(3).tolist()
    (18, True)
    """
    if name not in PACKINGS:
        raise ValueError(f"no way {name!r} to pack vectors")
    if name == "float16" or dim % 4:
        return Packing("float16", 2 * dim, _pack_float16, _unpack_float16, lambda p, v: _unpack_float16(p) @ v.T)
    return _levelled(name, int(name.removeprefix("bits")), dim)


def _pack_float16(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, dtype="<f2").view(np.uint8)


def _unpack_float16(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows).view("<f2").astype(np.float32)


def _levelled(name: str, bits: int, dim: int) -> Packing:
    levels = np.array([*(-level for level in reversed(_LEVELS[bits])), *_LEVELS[bits]], dtype=np.float32)
    table = np.ascontiguousarray(levels[(np.arange(256)[:, None] >> np.arange(0, 8, bits)) & (2**bits - 1)])
    values = table.view(np.complex64 if bits == 4 else np.complex128)[:, 0]  # a byte's floats, moved as one

    def unpack(rows: np.ndarray) -> np.ndarray:
        found = np.take(values, rows[:, :-2], mode="clip").view(np.float32)
        found *= _scales(rows)
        return np.asarray(found)

    width = dim * bits // 8
    return Packing(name, width + 2, _packer(bits, levels, table), unpack, _multiplier(table, width))


def _scales(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.ascontiguousarray(rows[:, -2:]).view("<f2").astype(np.float32))


def _packer(bits: int, levels: np.ndarray, table: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """`table`: the levels that each byte stands for, `(256, values a byte)`."""
    together = 8 // bits
    grid = (np.arange(-4 * _STEPS, 4 * _STEPS) + 0.5) / _STEPS
    nearest = np.digitize(grid, (levels[1:] + levels[:-1]) / 2).astype(np.uint8)
    squares = (table**2).sum(axis=1)

    def pack_some(vectors: np.ndarray) -> np.ndarray:
        places = vectors * (_STEPS / np.maximum(vectors.std(axis=1, keepdims=True), 1e-12))
        places += 4 * _STEPS
        codes = np.take(nearest, np.clip(places, 0, len(nearest) - 1, out=places).astype(np.uint8))
        packed = codes[:, ::together].copy()
        for i in range(1, together):
            packed |= codes[:, i::together] << np.uint8(i * bits)
        norms = np.sqrt(np.take(squares, packed).sum(axis=1, keepdims=True))
        return np.concatenate([packed, (1 / norms).astype("<f2").view(np.uint8).reshape(-1, 2)], axis=1)

    def pack(vectors: np.ndarray) -> np.ndarray:
        # In stretches that a processor keeps near it: three times as fast.
        return np.concatenate([pack_some(vectors[i : i + _AT_ONCE]) for i in range(0, max(1, len(vectors)), _AT_ONCE)])

    return pack


def _multiplier(table: np.ndarray, width: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """`width`: packed bytes of a vector, without its scale."""
    unit = float(table.max()) / SPAN
    whole = np.ascontiguousarray(np.rint(table / unit) + ZERO, dtype=np.uint8)
    code = "<u2" if width % 2 == 0 else "u1"
    if code == "<u2":  # two packed bytes at once, low byte first: half as many lookups, of a table that stays near
        whole = np.concatenate([np.tile(whole, (256, 1)), np.repeat(whole, 256, axis=0)], axis=1)
    octets = whole.view(f"u{whole.shape[1]}")[:, 0]

    def dots(rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        codes = np.ascontiguousarray(rows).view(code)[:, : width // np.dtype(code).itemsize]
        found = products(np.take(octets, codes, mode="clip").view(np.uint8), vectors)
        found *= unit * _scales(rows)
        return found

    return dots
