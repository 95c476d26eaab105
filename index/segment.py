"""One segment of an index: documents and everything that finds them, written once and read in places.

Knows nothing of questions, nor of the other segments. Rows are numbered from 0 within the segment:
passages in the order of their documents, and sentences in that of their passages. Each sentence has a
pooled vector in FAISS, token vectors, and its words for keyword search; so has each passage.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from index.blocks import Mapped
from index.centring import Centring
from index.errors import SnapshotDamagedError
from index.exchange import document_from_line, document_to_json
from index.files import FileEntry, opened
from index.keywords import KeywordIndex
from index.memory import Segment as Translated
from index.records import Document, Language
from index.tokens import Tokens
from index.vectors import VectorIndex

__all__ = ["LANGUAGES", "VIEWS", "DocumentEntry", "Segment", "SegmentView", "to_json", "write_entries"]

LANGUAGES: tuple[Language, ...] = ("nl", "en")
VIEWS = ("passages", "sentences")
"""What has token vectors and words of its own, in Dutch and, where it is translated, in English."""


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """What is known of a document without reading it."""

    id: str
    title: str
    digest: str
    """SHA-256 of the document as it is stored, and of its translations: another one has another content."""
    start: int
    end: int
    """Where it lies in `documents.jsonl`."""
    passages: int
    sentences: int
    metadata: dict[str, str] = field(default_factory=dict)
    """Of its metadata what tells it apart: title, number, date, ministry."""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """All passages, or all sentences, in one language."""

    tokens: Tokens
    """Of the texts that exist in this language, in order."""
    rows: np.ndarray
    """int64, ascending: the passage or sentence row of each text in `tokens`."""
    words: KeywordIndex
    """Over all rows; those that do not exist in this language are empty."""


class Segment:
    """A segment, opened. Never changes; threads may share it.

    Attributes:
        id: its name in the store.
        codec: how its token vectors are packed.
        entries: its documents, in order.
        sentence_counts: int32, shape `(n_passages,)`: how many sentences each passage has.
    """

    def __init__(self, folder: Path, files: Mapping[str, FileEntry], dim: int) -> None:
        """Open what lies in `folder`; `files` holds the entries of those that are checked as they are read.

        Raises:
            SnapshotDamagedError: a file is missing, or not what it should be.
        """
        self.id, self._folder, self._files = folder.name, folder, files
        try:
            about = json.loads((folder / "segment.json").read_text(encoding="utf-8"))
            self.codec = str(about["codec"])
            self.entries = tuple(DocumentEntry(**entry) for entry in about["documents"])
            self.sentence_counts = np.fromfile(folder / "sentence_counts.i32", np.int32)
            self.centring = Centring.load(folder)
            self.vectors = VectorIndex.load(folder)
            self.views = {view: {lang: self._view(lang, view, dim) for lang in LANGUAGES} for view in VIEWS}
            stored = json.loads((folder / "translations.json").read_text(encoding="utf-8"))
            self.translations = {words: Translated(words, target, origin) for words, (target, origin) in stored.items()}
            self._documents = self._opened(folder / "documents.jsonl")
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise SnapshotDamagedError(f"{folder} cannot be read ({error}): run 'fiche index build'") from error
        self._compare()

    def _compare(self) -> None:
        passages, sentences = (sum(getattr(e, name) for e in self.entries) for name in VIEWS)
        found = (
            len(self.sentence_counts), int(self.sentence_counts.sum()),
            len(self.views["passages"]["nl"].rows), len(self.views["sentences"]["nl"].rows), self.vectors.rows,
        )  # fmt: skip
        if found != (passages, sentences, passages, sentences, sentences):
            raise SnapshotDamagedError(f"{self._folder} holds files of different indexes: run 'fiche index build'")

    def _opened(self, path: Path) -> Mapped:
        return opened(path, self._files.get(str(path.relative_to(self._folder))))

    def _view(self, lang: Language, view: str, dim: int) -> SegmentView:
        folder = self._folder / lang / view
        rows = np.fromfile(folder / "rows.i64", np.int64)
        tokens = Tokens.load(folder, self.codec, dim, self._opened)
        if len(tokens.lengths) != len(rows):
            raise ValueError(f"{folder.name}: rows and token vectors differ in number")
        return SegmentView(tokens, rows, KeywordIndex.load(folder, self._opened))

    @cached_property
    def passage_counts(self) -> np.ndarray:
        """int64, shape `(n_documents,)`: how many passages each document has."""
        return np.array([entry.passages for entry in self.entries], dtype=np.int64)

    def passage_rows(self, documents: np.ndarray) -> np.ndarray:
        """The rows of all passages of the documents of those numbers, ascending."""
        chosen = np.zeros(len(self.entries), dtype=bool)
        chosen[documents] = True
        return np.flatnonzero(np.repeat(chosen, self.passage_counts))

    def sentence_rows(self, passages: np.ndarray) -> np.ndarray:
        """The rows of all sentences of the passages of those rows, ascending."""
        chosen = np.zeros(len(self.sentence_counts), dtype=bool)
        chosen[passages] = True
        return np.flatnonzero(np.repeat(chosen, self.sentence_counts))

    def raw(self, number: int) -> bytes:
        """A document as it is stored.

        Raises:
            SnapshotDamagedError: its bytes are not what was written.
        """
        entry = self.entries[number]
        return bytes(self._documents.read(entry.start, entry.end))

    def document(self, number: int) -> Document:
        """A document, read and checked; as `raw`."""
        try:
            return document_from_line(self.raw(number))
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotDamagedError(f"{self._folder} cannot be read ({error}): run 'fiche index build'") from error


def to_json(document: Document) -> str:
    """A document as one line."""
    return json.dumps(document_to_json(document), ensure_ascii=False)


def write_entries(folder: Path, codec: str, entries: Sequence[DocumentEntry]) -> None:
    """Write what is known of the documents without reading them."""
    about = {"codec": codec, "documents": [asdict(entry) for entry in entries]}
    (folder / "segment.json").write_text(json.dumps(about, ensure_ascii=False, indent=0), encoding="utf-8")
