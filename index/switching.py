"""Changes which segments an index consists of: written whole, flushed, and switched in one step.

Knows nothing of what a segment holds. Whoever is killed before the switch leaves the old snapshot
current; what was written by then is swept away by whoever writes next.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import SnapshotDamagedError
from index.files import FileEntry, check, seal, sync
from index.manifest import SEGMENTS, Counts, Manifest, Part

if TYPE_CHECKING:
    from index.store import SnapshotStore

__all__ = ["Writing"]

_KEEP = 2
"""Snapshots kept after a switch: the current one, and the one that readers may still be opening."""


class Writing:
    """Changes to an index, made while nobody else may change it."""

    def __init__(self, store: "SnapshotStore") -> None:
        self._root, self._store = store.root, store
        self._snapshots, self._segments = store.root / "snapshots", store.root / "segments"
        self._pending = store.root / "pending"
        self._pending.mkdir(exist_ok=True)
        self._sealed: dict[str, dict[str, FileEntry]] = {}
        for path in (*self._snapshots.glob(".*"), *self._segments.glob(".*")):
            shutil.rmtree(path, ignore_errors=True)  # what killed builds left: none is running now

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what is not finished, which goes when the block ends."""
        path = self._segments / f".{uuid.uuid4().hex}"
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def add(self, fill: Callable[[Path], Counts], key: str = "") -> Part:
        """Let `fill` write a segment and return its counts; it belongs to no snapshot yet.

        Under a `key` it is kept until the next switch, also where that never comes: after a kill, the
        segment of the same key is there already.
        """
        if key and (found := self._found(key)):
            return found
        part = self._add(fill)
        if key:
            files = self._sealed[part.segment]
            note = {"segment": part.segment, "counts": part.counts, "files": files}
            (self._pending / f".{key}").write_text(json.dumps(note), encoding="utf-8")
            sync(self._pending / f".{key}")
            (self._pending / f".{key}").replace(self._pending / key)
        return part

    def _found(self, key: str) -> Part | None:
        """What an addition that was killed has finished under the key; nothing where it is not whole."""
        try:
            note = json.loads((self._pending / key).read_text(encoding="utf-8"))
            part = Part(str(note["segment"]), dict(note["counts"]))
            for name, entry in note["files"].items():
                check(self._segments / Path(*Path(name).parts[3:]), entry, whole=True)
        except (OSError, ValueError, KeyError, TypeError, SnapshotDamagedError):
            return None
        self._sealed[part.segment] = note["files"]
        return part

    def _add(self, fill: Callable[[Path], Counts]) -> Part:
        with self.scratch() as working:
            counts = fill(working)
            files = {name: entry for path in _files(working) for name, entry in seal(path, working).items()}
            listing = json.dumps([[name, entry["sha256"]] for name, entry in sorted(files.items())])
            identity = hashlib.sha256(listing.encode()).hexdigest()[:32]
            for path in [*(p for p in working.rglob("*") if p.is_dir()), working]:
                sync(path)
            self._place(working, self._segments / identity, files)
        sync(self._segments)
        self._sealed[identity] = {str(SEGMENTS / identity / name): entry for name, entry in files.items()}
        return Part(identity, counts)

    def _place(self, working: Path, target: Path, files: dict[str, FileEntry]) -> None:
        """Move a segment to where it belongs; one that is there already stays, unless it is damaged."""
        if target.exists():
            try:
                for name, entry in files.items():
                    check(target / name, entry, whole=True)
                return
            except SnapshotDamagedError:
                target.rename(self._segments / f".{uuid.uuid4().hex}")
        working.rename(target)

    def take(self, segment: str, files: Mapping[str, FileEntry], fetch: Callable[[str], bytes]) -> None:
        """Take in a segment that was written elsewhere, its files by their path in it; nothing where it is here.

        Raises:
            SnapshotDamagedError: what `fetch` gives is not what was written.
        """
        self._sealed[segment] = {str(SEGMENTS / segment / name): entry for name, entry in files.items()}
        if (self._segments / segment).exists():
            return
        with self.scratch() as working:
            for name, entry in files.items():
                (working / name).parent.mkdir(parents=True, exist_ok=True)
                (working / name).write_bytes(fetch(name))
                check(working / name, entry, whole=True)
                sync(working / name)
            working.rename(self._segments / segment)

    def adopt(self, manifest: Manifest) -> None:
        """Make a snapshot that was written elsewhere current, its segments being here."""
        self._publish(manifest)

    def folder(self, part: Part) -> Path:
        """Where a segment's files are."""
        return self._segments / part.segment

    def switch(
        self, parts: Sequence[Part], *, model: str, fingerprint: str, dim: int, about: dict[str, str] | None = None
    ) -> Manifest:
        """Make a snapshot of these segments, and make it current."""
        known = dict(self._sealed)
        if any(part.segment not in known for part in parts):
            for name, entry in self._store.manifest().files.items():
                known.setdefault(Path(name).parts[3], {})[name] = entry
        files = {name: entry for part in parts for name, entry in known[part.segment].items()}
        counts = {name: sum(p.counts[name] for p in parts) for name in parts[0].counts}
        identity = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        created = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(identity, created, model, fingerprint, dim, counts, files, tuple(parts), about or {})
        self._publish(manifest)
        shutil.rmtree(self._pending, ignore_errors=True)
        return manifest

    def _publish(self, manifest: Manifest) -> None:
        identity = manifest.snapshot
        if not (self._snapshots / identity).exists():
            working = self._snapshots / f".{identity}"
            working.mkdir()
            (working / "manifest.json").write_bytes(manifest.to_bytes())
            sync(working / "manifest.json")
            sync(working)
            working.rename(self._snapshots / identity)
            sync(self._snapshots)
        self._point(identity, hashlib.sha256(manifest.to_bytes()).hexdigest())
        self._retire(identity)

    def _point(self, identity: str, digest: str) -> None:
        beside = self._root / ".CURRENT"
        beside.write_text(json.dumps({"snapshot": identity, "manifest_sha256": digest}) + "\n", encoding="utf-8")
        sync(beside)
        beside.replace(self._root / "CURRENT")
        sync(self._root)

    def _retire(self, current: str) -> None:
        others = sorted((p for p in self._snapshots.iterdir() if p.name != current), key=lambda p: p.name)
        for path in others[: max(0, len(others) - (_KEEP - 1))]:
            shutil.rmtree(path, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the segments that no kept snapshot consists of; none where one of these does not say which it has.

        A disk that fails for a moment must not cost the current index its segments; what stays goes the next time.
        """
        used: set[str] = set()
        for path in self._snapshots.glob("[!.]*"):
            try:
                used |= {part.segment for part in self._store.manifest(path.name).segments}
            except SnapshotDamagedError:
                return
        for path in self._pending.glob("*"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                used.add(json.loads(path.read_text(encoding="utf-8"))["segment"])
        for path in self._segments.iterdir():
            if path.name not in used:
                shutil.rmtree(path, ignore_errors=True)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
