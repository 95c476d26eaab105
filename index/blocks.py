"""Reads stretches of a large file, each block of it checked before it is used for the first time.

Knows nothing of what the bytes mean. A file of gigabytes cannot be hashed each time that an index is
opened; so beside it lies a digest of every block (`block_digests`), itself checked whole, and a block
is compared with its own when something in it is first read. Whoever reads gets the bytes that were
written, or an error.
"""

import hashlib
import mmap
from pathlib import Path

import numpy as np

from index.errors import SnapshotDamagedError

__all__ = ["BLOCK", "DIGEST", "Mapped", "block_digests"]

BLOCK = 16 * 1024
"""Bytes that are checked together: a sentence's vectors touch one or two blocks of this size."""
DIGEST = 8
"""Bytes of a block's digest: one in 10^19 damaged blocks would pass."""


def _digest(block: "bytes | memoryview") -> bytes:
    return hashlib.sha256(block).digest()[:DIGEST]


def block_digests(path: Path) -> tuple[str, bytes]:
    """The SHA-256 of a file, in hexadecimal, and the digests of its blocks one after another; read once.

    Raises:
        OSError: the file cannot be read.
    """
    whole, blocks = hashlib.sha256(), bytearray()
    with path.open("rb") as file:
        while chunk := file.read(256 * BLOCK):
            whole.update(chunk)
            view = memoryview(chunk)
            for at in range(0, len(chunk), BLOCK):
                blocks += _digest(view[at : at + BLOCK])
    return whole.hexdigest(), bytes(blocks)


class Mapped:
    """A file mapped into memory; stays readable after it is deleted. Threads may share it."""

    def __init__(self, path: Path, digests: bytes | None) -> None:
        """Map a file.

        Args:
            path: the file.
            digests: those of `block_digests`; `None` where the whole file has been checked already.

        Raises:
            OSError: the file cannot be opened.
        """
        self.path, self.size = path, path.stat().st_size
        self._digests = digests
        self._bytes = memoryview(b"")
        if self.size:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if digests is not None and hasattr(mmap, "MADV_RANDOM"):
                mapped.madvise(mmap.MADV_RANDOM)  # candidates lie far apart: reading ahead reads for nothing
            self._bytes = memoryview(mapped)
        self._checked = np.full(-(-self.size // BLOCK), digests is None)

    def read(self, start: int, end: int) -> memoryview:
        """The bytes from `start` to `end`.

        Raises:
            SnapshotDamagedError: a block that they lie in is not what was written.
        """
        if self._digests is not None and end > start:
            self._check(start // BLOCK, -(-end // BLOCK))
        return self._bytes[start:end]

    def rows(self, dtype: type, width: int, start: int, end: int) -> np.ndarray:
        """Rows `start` to `end` of the file as an array of `width` columns, read as `read` does."""
        step = np.dtype(dtype).itemsize * width
        return np.frombuffer(self.read(start * step, end * step), dtype).reshape(-1, width)

    def _check(self, first: int, last: int) -> None:
        for block in np.flatnonzero(~self._checked[first:last]) + first:
            known = self._digests or b""
            content = self._bytes[block * BLOCK : (block + 1) * BLOCK]
            if _digest(content) != known[block * DIGEST : (block + 1) * DIGEST]:
                raise SnapshotDamagedError(f"{self.path} is damaged: run 'fiche index build' to make it anew")
            self._checked[block] = True
