"""Immutable segments on disk, and the one file that says which of them are the current index.

Knows nothing of what a segment holds. A segment is a folder that is written beside the others, every
file of it flushed to the disk, and named by a digest of its content. A snapshot is a small manifest:
the segments that it consists of, what is taken out of each, and size and SHA-256 of every file.
`CURRENT`, which names the snapshot and its manifest's digest, is replaced in one step. Whoever is
killed before that step leaves the old snapshot current, and a reader that began with it keeps it.

    index/CURRENT                       {"snapshot": "…", "manifest_sha256": "…"}
    index/snapshots/<id>/manifest.json  format, model, counts, segments, files
    index/segments/<digest>/…           the files of a segment
    index/pending/<key>                 a segment that a bulk addition has finished before it ends
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from index.errors import FicheError, IndexStateError, SnapshotDamagedError
from index.files import check, reason, remedy
from index.manifest import Counts, Manifest, Part, parse_manifest
from index.switching import Writing

__all__ = ["Manifest", "Part", "SnapshotStore"]

T = TypeVar("T")
_REBUILD = "run 'fiche index build' to make it anew"


class SnapshotStore:
    """The snapshots below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._snapshots, self._segments = root / "snapshots", root / "segments"
        self._current = root / "CURRENT"

    def exists(self) -> bool:
        """Whether a snapshot has ever become current here."""
        return self._current.is_file()

    def write(self, fill: Callable[[Path], Counts], *, model: str, fingerprint: str, dim: int) -> Manifest:
        """Let `fill` write a segment's files into a folder and return its counts; make that alone the index.

        Raises:
            FicheError: another build is running, or the disk does not take it.
        """
        with self.writing() as writing:
            return writing.switch([writing.add(fill)], model=model, fingerprint=fingerprint, dim=dim)

    @contextmanager
    def writing(self) -> "Iterator[Writing]":
        """The right to change the index, which one process has at a time.

        Raises:
            FicheError: another build is running, or the disk does not take it.
        """
        try:
            for folder in (self._snapshots, self._segments):
                folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / "build.lock", timeout=0):
                writing = Writing(self)
                try:
                    yield writing
                finally:
                    writing.sweep()
        except Timeout as error:
            raise FicheError(
                f"another build is writing to {self.root}: wait until it has ended",
                "de index wordt al door een ander bijgewerkt. Wacht tot die klaar is.",
            ) from error
        except OSError as error:
            raise FicheError(
                f"the index cannot be written to {self.root} ({reason(error)}): {remedy(error)}",
                f"de index kan niet naar {self.root} geschreven worden. De beheerder vindt de oorzaak in het logboek.",
            ) from error

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
        return self.read(lambda *opened: opened, fingerprint)

    def read(
        self,
        load: Callable[[Path, Manifest], T],
        fingerprint: str | None = None,
        *,
        known: Collection[str] = (),
        whole: bool = False,
    ) -> T:
        """What `load` makes of the current snapshot, every file of it checked against its manifest.

        Large files that are read in places are checked in samples; whoever reads them checks the rest.
        A snapshot that is retired while it is being checked or loaded is let go for its successor.

        Args:
            load: reads the files; whatever it keeps open or mapped outlives the snapshot's retirement.
            fingerprint: the model that questions will be asked with; `None` skips that check.
            known: segments that `load` has already, and that are not checked again.
            whole: check every byte of every file.

        Raises:
            IndexStateError: there is no index.
            SnapshotDamagedError: a file is missing or changed, or another model or format made it.
        """
        while True:
            identity, digest = self._pointer()
            try:
                manifest = self.manifest(identity, digest)
                self._compare(manifest, fingerprint)
                folder = self._snapshots / identity
                for name, expected in manifest.files.items():
                    if Path(name).parts[3:4] and Path(name).parts[3] in known:
                        continue
                    check(folder / name, expected, whole=whole)
                return load(folder, manifest)
            except SnapshotDamagedError:
                if self._pointer()[0] == identity:
                    raise

    def manifest(self, identity: str = "", digest: str = "") -> Manifest:
        """The manifest of a snapshot, or of the current one; none of its other files is looked at.

        Raises:
            IndexStateError: there is no index.
            SnapshotDamagedError: the manifest is missing, changed, or of another format.
        """
        if not identity:
            identity, digest = self._pointer()
        path = self._snapshots / identity / "manifest.json"
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise SnapshotDamagedError(f"{path} is missing: {_REBUILD}") from error
        if digest and hashlib.sha256(raw).hexdigest() != digest:
            raise SnapshotDamagedError(f"{path} is damaged: {_REBUILD}")
        return parse_manifest(raw, path)

    @staticmethod
    def _compare(manifest: Manifest, fingerprint: str | None) -> None:
        if fingerprint is not None and manifest.fingerprint != fingerprint:
            raise SnapshotDamagedError(
                f"the index was made with the model {manifest.model} ({manifest.fingerprint}), not with the one "
                f"set now ({fingerprint}): {_REBUILD}, or set FICHE_MODEL back"
            )
