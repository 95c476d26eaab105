"""Immutable snapshot folders on disk, and the one file that says which of them is current.

Knows nothing of what a snapshot holds. A snapshot is written beside the others, every file of it
flushed to the disk, and listed with size and SHA-256 in its `manifest.json`; then `CURRENT`, which
names the snapshot and its manifest's digest, is replaced in one step. Whoever is killed before
that step leaves the old snapshot current, and a reader that began with it keeps it.

    index/CURRENT                       {"snapshot": "…", "manifest_sha256": "…"}
    index/snapshots/<id>/manifest.json  format, model, counts, files
"""

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from index.errors import FicheError, IndexStateError, SnapshotDamagedError

__all__ = ["FORMAT", "Manifest", "SnapshotStore"]

FORMAT = 2
"""Raised when a snapshot's files change their meaning; an older or newer one is refused."""
_KEEP = 2
"""Snapshots kept after a switch: the current one, and the one that readers may still be opening."""
T = TypeVar("T")
_REBUILD = "run 'fiche index build' to make it anew"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says of itself."""

    snapshot: str
    created: str
    model: str
    fingerprint: str
    dim: int
    counts: dict[str, int]
    files: dict[str, dict[str, Any]]
    """For each file: `bytes` and `sha256`."""
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The manifest as JSON."""
        return (json.dumps({key: getattr(self, key) for key in self.__slots__}, indent=1) + "\n").encode()


class SnapshotStore:
    """The snapshots below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._snapshots = root / "snapshots"
        self._current = root / "CURRENT"

    def exists(self) -> bool:
        """Whether a snapshot has ever become current here."""
        return self._current.is_file()

    def write(self, fill: Callable[[Path], dict[str, int]], *, model: str, fingerprint: str, dim: int) -> Manifest:
        """Let `fill` write a snapshot's files into a folder and return its counts; make it current.

        Raises:
            FicheError: another build is running, or the disk does not take it.
        """
        try:
            self._snapshots.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / "build.lock", timeout=0):
                return self._write(fill, model, fingerprint, dim)
        except Timeout as error:
            raise FicheError(
                f"another build is writing to {self.root}: wait until it has ended",
                "de index wordt al door een ander bijgewerkt. Wacht tot die klaar is.",
            ) from error
        except OSError as error:
            raise FicheError(
                f"the index cannot be written to {self.root} ({_reason(error)}): {_remedy(error)}",
                f"de index kan niet naar {self.root} geschreven worden. De beheerder vindt de oorzaak in het logboek.",
            ) from error

    def _write(self, fill: Callable[[Path], dict[str, int]], model: str, fingerprint: str, dim: int) -> Manifest:
        self._sweep()
        identity = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        working = self._snapshots / f".{identity}"
        working.mkdir()
        try:
            counts = fill(working)
            files = {str(p.relative_to(working)): _seal(p) for p in sorted(working.rglob("*")) if p.is_file()}
            created = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(identity, created, model, fingerprint, dim, counts, files)
            (working / "manifest.json").write_bytes(manifest.to_bytes())
            for path in [working / "manifest.json", *(p for p in working.rglob("*") if p.is_dir()), working]:
                _sync(path)
            working.rename(self._snapshots / identity)
            _sync(self._snapshots)
        except BaseException:
            shutil.rmtree(working, ignore_errors=True)
            raise
        self._switch(identity, hashlib.sha256(manifest.to_bytes()).hexdigest())
        self._retire(identity)
        return manifest

    def _switch(self, identity: str, digest: str) -> None:
        beside = self.root / ".CURRENT"
        beside.write_text(json.dumps({"snapshot": identity, "manifest_sha256": digest}) + "\n", encoding="utf-8")
        _sync(beside)
        beside.replace(self._current)
        _sync(self.root)

    def _sweep(self) -> None:
        """Remove what killed builds left behind; the lock is held, so none is running."""
        for path in self._snapshots.glob(".*"):
            shutil.rmtree(path, ignore_errors=True)

    def _retire(self, current: str) -> None:
        others = sorted((p for p in self._snapshots.iterdir() if p.name != current), key=lambda p: p.name)
        for path in others[: max(0, len(others) - (_KEEP - 1))]:
            shutil.rmtree(path, ignore_errors=True)

    def current(self) -> str:
        """The id of the current snapshot; changes when another becomes current.

        Raises:
            IndexStateError: there is none.
            SnapshotDamagedError: `CURRENT` cannot be understood.
        """
        return self._pointer()[0]

    def _pointer(self) -> tuple[str, str]:
        try:
            raw = self._current.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise IndexStateError(f"there is no index in {self.root}: run 'fiche index build'") from error
        except (OSError, UnicodeDecodeError) as error:
            raise SnapshotDamagedError(f"{self._current} cannot be read: {_REBUILD}") from error
        try:
            pointer = json.loads(raw)
            identity, digest = str(pointer["snapshot"]), str(pointer["manifest_sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotDamagedError(f"{self._current} is damaged: {_REBUILD}") from error
        if not identity or "/" in identity or identity.startswith("."):
            raise SnapshotDamagedError(f"{self._current} is damaged: {_REBUILD}")
        return identity, digest

    def open(self, fingerprint: str | None = None) -> tuple[Path, Manifest]:
        """The folder and manifest of the current snapshot, checked as `read` does."""
        return self.read(lambda folder, manifest: (folder, manifest), fingerprint)

    def read(self, load: Callable[[Path, Manifest], T], fingerprint: str | None = None) -> T:
        """What `load` makes of the current snapshot, every file of it checked against its manifest.

        A snapshot that is retired while it is being checked or loaded is let go for its successor.

        Args:
            load: reads the files; whatever it keeps open or mapped outlives the snapshot's retirement.
            fingerprint: the model that questions will be asked with; `None` skips that check.

        Raises:
            IndexStateError: there is no index.
            SnapshotDamagedError: a file is missing or changed, or another model or format made it.
        """
        while True:
            identity, digest = self._pointer()
            try:
                return load(*self._verified(identity, digest, fingerprint))
            except SnapshotDamagedError:
                if self._pointer()[0] == identity:
                    raise

    def _verified(self, identity: str, digest: str, fingerprint: str | None) -> tuple[Path, Manifest]:
        folder = self._snapshots / identity
        path = folder / "manifest.json"
        raw = _read(path)
        if hashlib.sha256(raw).hexdigest() != digest:
            raise SnapshotDamagedError(f"{path} is damaged: {_REBUILD}")
        manifest = _parse(raw, path)
        if fingerprint is not None and manifest.fingerprint != fingerprint:
            raise SnapshotDamagedError(
                f"the index was made with the model {manifest.model} ({manifest.fingerprint}), not with the one "
                f"set now ({fingerprint}): {_REBUILD}, or set FICHE_MODEL back"
            )
        for name, expected in manifest.files.items():
            file = folder / name
            try:
                size = file.stat().st_size
            except OSError as error:
                raise SnapshotDamagedError(f"{file} is missing: {_REBUILD}") from error
            if size != expected["bytes"]:
                raise SnapshotDamagedError(f"{file} has {size} bytes instead of {expected['bytes']}: {_REBUILD}")
            if _digest(file) != expected["sha256"]:
                raise SnapshotDamagedError(f"{file} is damaged: {_REBUILD}")
        return folder, manifest


def _parse(raw: bytes, path: Path) -> Manifest:
    try:
        fields = json.loads(raw)
        if fields["format"] != FORMAT:
            raise SnapshotDamagedError(
                f"{path} has format {fields['format']}, this fiche reads format {FORMAT}: {_REBUILD}"
            )
        return Manifest(**fields)
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotDamagedError(f"{path} is damaged: {_REBUILD}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SnapshotDamagedError(f"{path} is missing: {_REBUILD}") from error


def _seal(path: Path) -> dict[str, Any]:
    _sync(path)
    return {"bytes": path.stat().st_size, "sha256": _digest(path)}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SnapshotDamagedError(f"{path} cannot be read ({_reason(error)}): {_REBUILD}") from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(PermissionError):  # some file systems do not flush folders
            os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space there, or set FICHE_HOME to a folder on another disk"
    return "make it writable, or set FICHE_HOME to a folder that is"
