"""Reads stretches of a large file, each block of it checked before it is used for the first time.

Knows nothing of what the bytes mean. A file of gigabytes cannot be hashed each time that an index is
opened; so beside it lies a digest of every block (`block_digests`), itself checked whole, and a block
is compared with its own when something in it is first read. Whoever reads gets the bytes that were
written, or an error.
"""

import hashlib
import os
import weakref
from pathlib import Path

import numpy as np
from xxhash import xxh3_64_digest

from index.errors import SnapshotDamagedError
from index.ranges import ranges

__all__ = ["BLOCK", "DIGEST", "Mapped", "block_digests"]

BLOCK = 16 * 1024
"""Bytes that are checked together: a sentence's vectors touch one or two blocks of this size."""
DIGEST = 8
"""Bytes of a block's digest: one in 10^19 damaged blocks would pass. It is there against rot, and thirty times as
fast as SHA-256: a question to a large index may be the first to read a thousand blocks."""


def _digest(block: "bytes | memoryview") -> bytes:
    return xxh3_64_digest(block)


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
    """A file that is read in places; stays readable after it is deleted. Threads may share it.

    It is read, not mapped into memory: pages of a mapped file count as the process's own memory, many
    around each one that is asked for, and each costs a fault.
    """

    def __init__(self, path: Path, digests: bytes | None) -> None:
        """Open a file.

        Args:
            path: the file.
            digests: those of `block_digests`; `None` where the whole file has been checked already.

        Raises:
            OSError: the file cannot be opened.
        """
        self.path, self._digests = path, digests
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        self.size = os.fstat(self._file).st_size
        self._checked = np.full(-(-self.size // BLOCK), digests is None)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`.

        Raises:
            SnapshotDamagedError: a block that they lie in is not what was written.
            OSError: the disk does not give them.
        """
        first, last = start // BLOCK, -(-end // BLOCK)
        if self._digests is None or end <= start or self._checked[first:last].all():
            return self._take(start, end)
        around = self._take(first * BLOCK, min(last * BLOCK, self.size))
        self._check(around, first, last)
        return around[start - first * BLOCK : end - first * BLOCK]

    def _take(self, start: int, end: int) -> bytes:
        pieces = []
        while start < end and (piece := os.pread(self._file, end - start, start)):
            pieces.append(piece)
            start += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def rows(self, dtype: type, width: int, start: int, end: int) -> np.ndarray:
        """Rows `start` to `end` of the file as an array of `width` columns, read as `read` does."""
        step = np.dtype(dtype).itemsize * width
        return np.frombuffer(self.read(start * step, end * step), dtype).reshape(-1, width)

    def expect(self, starts: np.ndarray, ends: np.ndarray) -> None:
        """Have the disk fetch, all at once, what is read next and never was: one by one takes it three times as long.

        Args:
            starts: int64, where each stretch begins.
            ends: int64, where each ends.
        """
        if not hasattr(os, "posix_fadvise"):  # not every system can be told
            return
        blocks = self._unread(starts, ends)
        apart = np.diff(blocks, prepend=-2) > 1
        runs = blocks[apart], blocks[np.roll(apart, -1)] + 1
        for first, end in zip(*(run.tolist() for run in runs), strict=True):
            os.posix_fadvise(self._file, first * BLOCK, (end - first) * BLOCK, os.POSIX_FADV_WILLNEED)

    def _unread(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The blocks that some stretches lie in and that were not checked yet: int64, ascending."""
        blocks = ranges(starts // BLOCK, -(-ends // BLOCK) - starts // BLOCK)
        return np.unique(blocks[~self._checked[blocks]])

    def gather(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The bytes of many stretches, one after another, as uint8; read and checked as `read` does.

        Args:
            starts: int64, where each begins; there is one at least.
            ends: int64, where each ends.
        """
        for block in self._unread(starts, ends).tolist():
            self._check(self._take(block * BLOCK, min((block + 1) * BLOCK, self.size)), block, block + 1)
        out, at = np.empty(int((ends - starts).sum()), np.uint8), 0
        apart = np.flatnonzero(starts[1:] != ends[:-1]) + 1  # what lies side by side is read in one go
        runs = starts[np.concatenate([[0], apart])], ends[np.concatenate([apart - 1, [-1]])]
        for start, end in zip(*(run.tolist() for run in runs), strict=True):
            own = out.data[at : at + end - start]
            if os.preadv(self._file, [own], start) != len(own):  # a disk may give less at once
                own[:] = self.read(start, end)
            at += len(own)
        return out

    def _check(self, around: bytes, first: int, last: int) -> None:
        """Compare the blocks from `first` to before `last`, which `around` holds, with their digests."""
        known, view = self._digests or b"", memoryview(around)
        for block in range(first, last):
            content = view[(block - first) * BLOCK : (block - first + 1) * BLOCK]
            if _digest(content) != known[block * DIGEST : (block + 1) * DIGEST]:
                raise SnapshotDamagedError(f"{self.path} is damaged: run 'fiche index build' to make it anew")
            self._checked[block] = True
