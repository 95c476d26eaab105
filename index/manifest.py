"""The small records that say what an index consists of, as they are kept on the disk.

Knows nothing of folders, nor of what a segment holds.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.errors import SnapshotDamagedError
from index.files import FileEntry

__all__ = ["FORMAT", "SEGMENTS", "Counts", "Manifest", "Part", "parse_manifest"]

FORMAT = 4
"""Raised when a snapshot's files change their meaning; an older or newer one is refused."""
SEGMENTS = Path("..") / ".." / "segments"
"""From a snapshot's folder to the segments."""
Counts = dict[str, int]
_REBUILD = "run 'fiche index build' to make it anew"


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, and what of it no longer counts."""

    segment: str
    counts: Counts
    """Of what counts."""
    removed: tuple[str, ...] = ()
    """Names of the documents in it that were taken out or replaced."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says of itself."""

    snapshot: str
    created: str
    model: str
    fingerprint: str
    dim: int
    counts: Counts
    files: dict[str, FileEntry]
    """For each file, by its path from the snapshot's folder: `bytes`, `sha256` and, where its blocks are
    checked as they are read, `blocks`: the name of the file that holds their digests."""
    segments: tuple[Part, ...] = ()
    """Where there are none, the snapshot's folder is the only segment."""
    about: dict[str, str] = field(default_factory=dict)
    """What else the maker of the segments wants to know when it makes the next one."""
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The manifest as JSON."""
        fields: dict[str, Any] = {key: getattr(self, key) for key in self.__slots__}
        fields["segments"] = [{"segment": p.segment, "counts": p.counts, "removed": p.removed} for p in self.segments]
        return (json.dumps(fields, indent=1) + "\n").encode()


def parse_manifest(raw: bytes, path: Path) -> Manifest:
    """What `Manifest.to_bytes` made.

    Raises:
        SnapshotDamagedError: it is something else, or of another format.
    """
    try:
        fields = json.loads(raw)
        if fields["format"] != FORMAT:
            raise SnapshotDamagedError(
                f"{path} has format {fields['format']}, this fiche reads format {FORMAT}: {_REBUILD}"
            )
        parts = [Part(p["segment"], p["counts"], tuple(p["removed"])) for p in fields.pop("segments")]
        return Manifest(**fields, segments=tuple(parts))
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotDamagedError(f"{path} is damaged: {_REBUILD}") from error
