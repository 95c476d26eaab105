"""Changes an index: which segments are written, of which something is taken out, and which are merged.

Knows nothing of questions. Adding a document writes a segment with it alone and a new manifest, so it
takes as long as the document is, not the index. Segments of about the same size are merged when there
are many of them, so that there are never more than some eight of each order of size, and every
document is copied only as often as the index grows eightfold (O'Neil et al., "The log-structured
merge-tree", 1996). What a bulk addition has finished is kept until it ends: after a kill, the same
addition goes on from there.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log
from pathlib import Path

from index.centring import Centring
from index.encoder import Encoded, Encoder
from index.manifest import Counts, Manifest, Part
from index.memory import TranslationMemory
from index.records import Document
from index.segment import Segment
from index.snapshot import Snapshot, choose_codec, encode_all, kept_of
from index.switching import Writing
from index.writing import Embed, Progress, content_digest, merge_segments, write_segment

__all__ = ["Update", "memory_digest"]

_BATCH = 1_500
"""Sentences that are embedded before they are written: some three hundred megabytes of vectors."""
_MANY = 8
"""Segments of about the same size that are merged."""
_LARGEST = 400_000
"""Sentences above which segments are left as they are: merging them would take minutes and save little."""


class Update:
    """One change to an index, while nobody else may change it."""

    def __init__(
        self,
        writing: Writing,
        present: Snapshot | None,
        encoder: Encoder,
        memory: TranslationMemory,
        embed: Embed | None,
        progress: Progress | None,
    ) -> None:
        self._writing, self._present, self._encoder, self._memory = writing, present, encoder, memory
        self._embed, self._progress = embed, progress
        self._open: dict[str, Segment] = dict(present.segments) if present else {}
        self._centring = present.centring if present else Centring.of(encoder)
        self._about = {"memory": memory_digest(memory)}

    def apply(self, documents: Sequence[Document], removed: Collection[str] = ()) -> Manifest:
        """Add the documents in place of those of their names, take out others, and make that current."""
        added = self._changed({document.id: document for document in documents}, removed)
        gone = {*removed, *added}
        kept = [left for part in self._parts() if (left := self._without(part, gone))]
        if self._present and not added and kept == self._parts():
            return self._present.manifest
        sentences = sum(p.counts["sentences"] for p in kept) + sum(_sentences(d) for d in added.values())
        codec = self._codec(sentences)
        parts = kept + self._write(list(added.values()), codec)
        parts = [part if self._segment(part).codec == codec else self._join([part], codec) for part in parts]
        manifest = self._switch(parts)
        merged = self._tidy(parts, codec)
        return self._switch(merged) if merged != parts else manifest

    def _parts(self) -> list[Part]:
        return list(self._present.manifest.segments) if self._present else []

    def _codec(self, sentences: int) -> str:
        """That of the index, unless it has grown out of it."""
        known = self._present.parts[0][0].codec if self._present else "float16"
        return known if known != "float16" else choose_codec(sentences)

    def _changed(self, documents: dict[str, Document], removed: Collection[str]) -> dict[str, Document]:
        """Those of the documents, and of what the index holds, that it does not hold in this form."""
        if self._present is None:
            return documents
        known = {entry.id: entry.digest for entry in self._present.entries}
        if self._present.manifest.about.get("memory") != self._about["memory"]:
            others = {n: d for n, d in self._present.documents.items() if n not in documents and n not in removed}
            documents = {**others, **documents}
        return {n: d for n, d in documents.items() if known.get(n) != content_digest(d, self._memory)}

    def _without(self, part: Part, names: Collection[str]) -> Part | None:
        """The part without the documents of those names; nothing where none is left."""
        segment = self._segment(part)
        gone = [segment.entries[n] for n in kept_of(segment, part) if segment.entries[n].id in names]
        lost = {"documents": len(gone)} | {
            name: sum(getattr(entry, name) for entry in gone) for name in ("passages", "sentences")
        }
        counts = {name: count - lost[name] for name, count in part.counts.items()}
        if not counts["documents"]:
            return None
        return replace(part, counts=counts, removed=(*part.removed, *(entry.id for entry in gone))) if gone else part

    def _write(self, documents: Sequence[Document], codec: str) -> list[Part]:
        """Segments with the documents: written batch by batch, and joined into as few as may be."""
        batches = list(_batches(documents))
        total, done = sum(map(_size, documents)), 0
        parts: list[Part] = []
        for batch in batches:
            bulk = len(batches) > 1
            key = _digest(self._encoder.fingerprint, codec, *(content_digest(d, self._memory) for d in batch))
            share = sum(map(_size, batch))
            fill = self._filler(batch, codec, self._share(done, share, total) if bulk else self._progress)
            parts.append(self._writing.add(fill, key if bulk else ""))
            done += share
        groups: list[list[Part]] = []
        for part in parts:
            if groups and sum(p.counts["sentences"] for p in (*groups[-1], part)) <= _LARGEST:
                groups[-1].append(part)
            else:
                groups.append([part])
        return [self._join(group, codec) for group in groups]

    def _filler(self, batch: Sequence[Document], codec: str, progress: Progress | None) -> Callable[[Path], Counts]:
        def embed(texts: Sequence[str]) -> Mapping[str, Encoded]:
            return self._embed(texts, progress) if self._embed else encode_all(self._encoder, texts, progress)

        return lambda folder: write_segment(folder, batch, embed, self._centring, codec, self._memory)

    def _share(self, before: int, share: int, total: int) -> Progress | None:
        """Progress of one batch as that of the whole."""
        told = self._progress
        return None if told is None else lambda done, of: told(before + share * done // of, total)

    def _join(self, parts: Sequence[Part], codec: str) -> Part:
        """One part out of several; a single one that nothing has to be done about is left as it is."""
        if len(parts) == 1 and not parts[0].removed and self._segment(parts[0]).codec == codec:
            return parts[0]
        kept = [(self._segment(part), kept_of(self._segment(part), part)) for part in parts]
        return self._writing.add(lambda folder: merge_segments(folder, kept, codec))

    def _tidy(self, parts: Sequence[Part], codec: str) -> list[Part]:
        """Merge segments of which there are many of a size, and write those anew of which most is gone."""
        tidied = list(parts)
        while True:
            tiers: dict[int, list[Part]] = {}
            for part in tidied:
                tiers.setdefault(int(log(max(1, part.counts["sentences"]), _MANY)), []).append(part)
            many = [own for own in tiers.values() if len(own) >= _MANY]
            many = [own for own in many if sum(p.counts["sentences"] for p in own) <= _LARGEST]
            chosen = many[0] if many else [part for part in tidied if self._is_hollow(part)][:1]
            if not chosen:
                return tidied
            place = tidied.index(chosen[0])
            tidied[place] = self._join(chosen, codec)
            tidied = [part for part in tidied if part not in chosen]

    def _is_hollow(self, part: Part) -> bool:
        held = sum(entry.sentences for entry in self._segment(part).entries)
        return bool(part.removed) and part.counts["sentences"] < held / 2

    def _segment(self, part: Part) -> Segment:
        """A segment that is open, or was written just now."""
        if part.segment not in self._open:
            self._open[part.segment] = Segment(self._writing.folder(part), {}, self._encoder.dim)
        return self._open[part.segment]

    def _switch(self, parts: Sequence[Part]) -> Manifest:
        encoder = self._encoder
        return self._writing.switch(
            parts, model=encoder.name, fingerprint=encoder.fingerprint, dim=encoder.dim, about=self._about
        )


def memory_digest(memory: TranslationMemory) -> str:
    """What a memory holds, in one number: where it is another, documents may have new translations."""
    return _digest(*(f"{s.source}\t{s.target}\t{s.origin}" for s in memory))


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for document in documents:
        if batch and sum(map(_sentences, (*batch, document))) > _BATCH:
            yield batch
            batch = []
        batch.append(document)
    if batch:
        yield batch


def _sentences(document: Document) -> int:
    return sum(len(passage.sentences) for passage in document.passages)


def _size(document: Document) -> int:
    return len(document.passages) + _sentences(document)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
