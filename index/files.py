"""Files that must be what was written: flushed to the disk, listed with their digests, and checked.

Knows nothing of snapshots. A file is checked whole when an index is opened, but for large ones that
are mapped into memory and read in places (`*.map`, `*.jsonl`): of those, size and a sample of blocks
are checked then, and each block before it is first used (`index/blocks.py`).
"""

import errno
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from index.blocks import BLOCK, DIGEST, Mapped, block_digests
from index.errors import SnapshotDamagedError

__all__ = ["LARGE", "FileEntry", "check", "opened", "reason", "remedy", "seal", "sync"]

FileEntry = dict[str, Any]
"""`bytes`, `sha256` and, of a file that is checked by blocks, `blocks`: the name of their digests' file."""
LARGE = 32 * 2**20
"""Bytes from which a file that is read in places is not checked whole at each opening; hashing this much
takes some thirty milliseconds."""
_IN_PLACES = (".map", ".jsonl")
_BLOCKS = ".blocks"
_SAMPLE = 64
_REBUILD = "run 'fiche index build' to make it anew"


def seal(path: Path, folder: Path) -> dict[str, FileEntry]:
    """Flush a file to the disk; its entry, and that of its blocks' digests where it is large.

    Raises:
        OSError: the disk does not take it.
    """
    if path.suffix == _BLOCKS:
        return {}  # sealed with the file that it belongs to
    sync(path)
    name, size = str(path.relative_to(folder)), path.stat().st_size
    digest, blocks = block_digests(path)
    entry: FileEntry = {"bytes": size, "sha256": digest}
    if size < LARGE or path.suffix not in _IN_PLACES:
        return {name: entry}
    beside = path.with_name(path.name + _BLOCKS)
    beside.write_bytes(blocks)
    sync(beside)
    own: FileEntry = {"bytes": len(blocks), "sha256": hashlib.sha256(blocks).hexdigest()}
    return {name: entry | {"blocks": beside.name}, str(beside.relative_to(folder)): own}


def check(path: Path, expected: Mapping[str, Any], *, whole: bool = False) -> None:
    """Compare a file with its entry: all of it, or a sample of its blocks where it has such and not `whole`.

    Raises:
        SnapshotDamagedError: it is missing or changed.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SnapshotDamagedError(f"{path} is missing: {_REBUILD}") from error
    if size != expected["bytes"]:
        raise SnapshotDamagedError(f"{path} has {size} bytes instead of {expected['bytes']}: {_REBUILD}")
    try:
        if "blocks" in expected and not whole:
            _check_sample(path, expected)
            return
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SnapshotDamagedError(f"{path} cannot be read ({reason(error)}): {_REBUILD}") from error
    if digest != expected["sha256"]:
        raise SnapshotDamagedError(f"{path} is damaged: {_REBUILD}")


def _check_sample(path: Path, expected: Mapping[str, Any]) -> None:
    """The first and the last block, and others spread over the file by its digest, always the same."""
    mapped = opened(path, expected)
    blocks = -(-mapped.size // BLOCK)
    drawn = np.random.default_rng(int(expected["sha256"][:16], 16)).integers(blocks, size=_SAMPLE)
    for block in {0, blocks - 1, *drawn.tolist()}:
        mapped.read(block * BLOCK, min(mapped.size, (block + 1) * BLOCK))


def opened(path: Path, expected: Mapping[str, Any] | None) -> Mapped:
    """A file to read in places, its blocks checked as they are read where its entry says so.

    Raises:
        SnapshotDamagedError: the digests of its blocks are those of another file.
        OSError: it cannot be opened.
    """
    if expected is None or "blocks" not in expected:
        return Mapped(path, None)
    digests = path.with_name(expected["blocks"]).read_bytes()
    if len(digests) != DIGEST * -(-expected["bytes"] // BLOCK):
        raise SnapshotDamagedError(f"{path}{_BLOCKS} is damaged: {_REBUILD}")
    return Mapped(path, digests)


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(PermissionError):  # some file systems do not flush folders
            os.fsync(handle)
    finally:
        os.close(handle)


def reason(error: OSError) -> str:
    """Why the disk refused, in small letters."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def remedy(error: OSError) -> str:
    """What helps when the disk does not take what is written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space there, or set FICHE_HOME to a folder on another disk"
    return "make it writable, or set FICHE_HOME to a folder that is"
