"""An index in memory: its segments as one, and the documents behind their rows.

Knows nothing of questions. Rows run through all segments, over what counts of each: whoever asks
meets neither segments nor what was taken out of them. Vectors of tokens, postings and documents stay
on the disk and are read where they are needed. LlamaIndex's own storage is not used for this: its
`persist` is not atomic, its FAISS store mixes up rows after a deletion, and neither notices that
vectors and texts are of different ages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol, overload

import numpy as np

from index.centring import Centring
from index.encoder import Encoded, Encoder
from index.errors import SnapshotDamagedError
from index.files import FileEntry
from index.keywords import Keywords
from index.manifest import SEGMENTS, Manifest, Part
from index.memory import TranslationMemory
from index.records import Document, Language, Passage, Span
from index.segment import LANGUAGES, DocumentEntry, Segment
from index.tokens import TokenTable
from index.vectors import Vectors, VectorSearch
from index.writing import Kept, Progress, write_segment

__all__ = ["Progress", "Snapshot", "View", "choose_codec", "encode_all", "kept_of", "segment_files", "write_snapshot"]

_CHUNK = 128
_DOCUMENTS = 256
"""Documents that are kept in memory once they were read."""
EXACT_SENTENCES = 2_000
"""Up to so many sentences token vectors are not packed, and every sentence is scored."""


@dataclass(frozen=True, slots=True)
class View:
    """All passages, or all sentences, in one language."""

    tokens: TokenTable
    """Of the texts that exist in this language, in order."""
    rows: np.ndarray
    """int64, ascending: the passage or sentence row of each text in `tokens`."""
    words: Keywords
    """Over all rows; those that do not exist in this language are empty."""


class Search(Protocol):
    """What finds candidates in place of a snapshot's own vectors and words."""

    @property
    def kinds(self) -> tuple[VectorSearch, ...]:
        """How it finds the nearest vectors."""
        ...

    def nearest(self, pooled: np.ndarray, count: int) -> np.ndarray:
        """Rows of the sentences whose pooled vectors are nearest."""
        ...

    def worded(self, words: Mapping[Language, Sequence[str]], count: int) -> np.ndarray:
        """Rows of the passages that are met best by the words of any language, best first."""
        ...


def choose_codec(sentences: int) -> str:
    """How the token vectors of an index of so many sentences are packed."""
    return "float16" if sentences <= EXACT_SENTENCES else "bits2"


def write_snapshot(
    folder: Path,
    documents: Sequence[Document],
    encoder: Encoder,
    progress: Progress | None = None,
    memory: TranslationMemory | None = None,
) -> dict[str, int]:
    """Write a snapshot of one segment, all of it into `folder`; returns its counts.

    What `memory` has the English of is embedded in both languages: two views of one passage.
    """
    codec = choose_codec(sum(len(p.sentences) for d in documents for p in d.passages))
    return write_segment(
        folder,
        documents,
        lambda texts: encode_all(encoder, texts, progress),
        Centring.of(encoder),
        codec,
        memory or TranslationMemory(),
    )


def encode_all(encoder: Encoder, texts: Sequence[str], progress: Progress | None) -> dict[str, Encoded]:
    """The vectors of each text."""
    done: dict[str, Encoded] = {}
    for i in range(0, len(texts), _CHUNK):
        batch = texts[i : i + _CHUNK]
        done.update(zip(batch, encoder.encode(batch, query=False), strict=True))
        if progress:
            progress(len(done), len(texts))
    return done


def segment_files(manifest: Manifest, segment: str) -> dict[str, FileEntry]:
    """The entries of a segment's files, by their path in its folder."""
    above = f"{SEGMENTS / segment}/"
    return {name.removeprefix(above): entry for name, entry in manifest.files.items() if name.startswith(above)}


def kept_of(segment: Segment, part: Part | None) -> np.ndarray:
    """The numbers of the documents of a segment that count."""
    removed = set(part.removed) if part else set()
    return np.array([n for n, entry in enumerate(segment.entries) if entry.id not in removed], dtype=np.int64)


class Snapshot:
    """An index in memory. Never changes; threads may share it.

    Attributes:
        parts: its segments, each with the numbers of the documents in it that count.
        entries: what is known of each document without reading it, in order.
        passages: document and passage of each passage row, read when they are asked for.
        sentences: span of each sentence row, likewise.
        passage_of: int64, shape `(n_sentences,)`: the passage row of each sentence row.
        kept_rows: of each segment the rows in it that count, of passages and of sentences.
        elsewhere: what finds candidates, where that is not done here.
        document_of: int64, shape `(n_passages,)`: the number in `entries` of each passage row's document.
    """

    def __init__(self, folder: Path, manifest: Manifest, known: Mapping[str, Segment] | None = None) -> None:
        """Open what `manifest` says.

        Args:
            folder: the snapshot's folder; where the manifest names no segments, the only one.
            manifest: of files that were checked.
            known: segments that are open already, by their id.
        """
        self.manifest, self._known = manifest, known or {}
        self.parts: list[Kept] = [self._open(folder, part) for part in manifest.segments or (None,)]
        self.centring = self.parts[0][0].centring
        self.entries: list[DocumentEntry] = [s.entries[n] for s, kept in self.parts for n in kept]
        kept_passages = [segment.passage_rows(kept) for segment, kept in self.parts]
        kept_sentences = [s.sentence_rows(rows) for (s, _), rows in zip(self.parts, kept_passages, strict=True)]
        per_passage = [s.sentence_counts[rows] for (s, _), rows in zip(self.parts, kept_passages, strict=True)]
        self._first_sentence = np.concatenate([[0], np.cumsum(np.concatenate(per_passage), dtype=np.int64)])
        self._first_passage = np.cumsum([0, *(entry.passages for entry in self.entries)])
        self.passage_of = np.repeat(np.arange(len(self._first_sentence) - 1), np.diff(self._first_sentence))
        self.document_of = np.repeat(np.arange(len(self.entries)), np.diff(self._first_passage))
        self.passage_views = {lang: self._join("passages", lang, kept_passages) for lang in LANGUAGES}
        self.sentence_views = {lang: self._join("sentences", lang, kept_sentences) for lang in LANGUAGES}
        self.vectors = Vectors([(s.vectors, rows) for (s, _), rows in zip(self.parts, kept_sentences, strict=True)])
        self.document = lru_cache(_DOCUMENTS)(self._document)
        self.documents: Mapping[str, Document] = _Documents(self)
        self.passages: Sequence[tuple[Document, Passage]] = _Passages(self)
        self.sentences: Sequence[Span] = _Sentences(self)
        self.kept_rows = [{"passages": p, "sentences": s} for p, s in zip(kept_passages, kept_sentences, strict=True)]
        self.elsewhere: Search | None = None

    def _open(self, folder: Path, part: Part | None) -> Kept:
        if part is None:
            segment = Segment(folder, {}, self.manifest.dim)
        elif part.segment in self._known:
            segment = self._known[part.segment]
        else:
            files = segment_files(self.manifest, part.segment)
            segment = Segment((folder / SEGMENTS / part.segment).resolve(), files, self.manifest.dim)
        kept = kept_of(segment, part)
        if part and len(kept) != part.counts["documents"]:
            raise SnapshotDamagedError(f"{folder} holds files of different indexes: run 'fiche index build'")
        return segment, kept

    def _join(self, view: str, lang: Language, kept: Sequence[np.ndarray]) -> View:
        own = [segment.views[view][lang] for segment, _ in self.parts]
        texts, rows, first = [], [], 0
        for each, alive in zip(own, kept, strict=True):
            met = np.flatnonzero(np.isin(each.rows, alive))
            texts.append((each.tokens, met))
            rows.append(np.searchsorted(alive, each.rows[met]) + first)
            first += len(alive)
        words = Keywords([(each.words, alive) for each, alive in zip(own, kept, strict=True)])
        return View(TokenTable(texts), np.concatenate(rows), words)

    @property
    def segments(self) -> dict[str, Segment]:
        """The segments by their id, for the snapshot that comes after this one."""
        return {segment.id: segment for segment, _ in self.parts}

    def _document(self, number: int) -> Document:
        for segment, kept in self.parts:
            if number < len(kept):
                return segment.document(int(kept[number]))
            number -= len(kept)
        raise IndexError(number)

    def place(self, row: int) -> tuple[int, int]:
        """The number of a passage row's document, and which of its passages the row is."""
        number = int(self.document_of[row])
        return number, row - int(self._first_passage[number])

    def translation(self, words: str) -> str | None:
        """The English of a sentence, field, footnote or heading, where it is known."""
        return next((s.translations[words].target for s, _ in self.parts if words in s.translations), None)

    def is_machine_made(self, words: str) -> bool:
        """Whether the English of these words was made by a machine and read by nobody."""
        return next((s.translations[words].origin for s, _ in self.parts if words in s.translations), "") == "machine"

    def nearest(self, vector: np.ndarray, count: int, among: np.ndarray | None = None) -> np.ndarray:
        """Rows of the `count` sentences whose vectors are nearest, found where candidates are found.

        Args:
            vector: a mean direction, shape `(dim,)`.
            count: how many are wanted.
            among: bool, shape `(n_sentences,)`: the only rows that may be found, and then they are found here.
        """
        if self.elsewhere and among is None:
            return self.elsewhere.nearest(vector, count)
        return self.vectors.search(vector, count, among)[0]

    @property
    def first_sentence(self) -> np.ndarray:
        """int64, shape `(n_passages,)`: the row of each passage's first sentence."""
        return self._first_sentence[:-1]

    @cached_property
    def sentences_of(self) -> np.ndarray:
        """int64, shape `(n_passages,)`: how many sentences each passage has."""
        return np.diff(self._first_sentence)


class _Documents(Mapping[str, Document]):
    """The documents by their names, each read when it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._numbers = {entry.id: number for number, entry in enumerate(snapshot.entries)}

    def __getitem__(self, name: str) -> Document:
        return self._snapshot.document(self._numbers[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class _Passages(Sequence[tuple[Document, Passage]]):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __len__(self) -> int:
        return len(self._snapshot.document_of)

    @overload
    def __getitem__(self, row: int) -> tuple[Document, Passage]: ...
    @overload
    def __getitem__(self, row: slice) -> list[tuple[Document, Passage]]: ...
    def __getitem__(self, row: int | slice) -> tuple[Document, Passage] | list[tuple[Document, Passage]]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        number, place = self._snapshot.place(range(len(self))[row])
        document = self._snapshot.document(number)
        return document, document.passages[place]


class _Sentences(Sequence[Span]):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __len__(self) -> int:
        return len(self._snapshot.passage_of)

    @overload
    def __getitem__(self, row: int) -> Span: ...
    @overload
    def __getitem__(self, row: slice) -> list[Span]: ...
    def __getitem__(self, row: int | slice) -> Span | list[Span]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        passage = int(self._snapshot.passage_of[row])
        place = range(len(self))[row] - int(self._snapshot.first_sentence[passage])
        return self._snapshot.passages[passage][1].sentences[place]
