"""What an index consists of, made from documents and read back whole.

Knows nothing of questions. Rows are sentences: each has a pooled vector in FAISS, its token
vectors, and its words for keyword search; so has each passage. LlamaIndex's own storage is not
used for this: its `persist` is not atomic, its FAISS store mixes up rows after a deletion, and
neither notices that vectors and texts are of different ages.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from index.centring import Centring
from index.encoder import Encoded, Encoder
from index.errors import SnapshotDamagedError
from index.glosses import gloss
from index.keywords import KeywordIndex
from index.memory import Segment, TranslationMemory
from index.records import Document, Footnote, Language, Passage, Section, Span
from index.store import Manifest
from index.vectors import VectorIndex
from index.words import terms

__all__ = ["Snapshot", "TokenTable", "View", "embedded_text", "write_snapshot"]

_CHUNK = 16
_ANCHOR_WORDS = 10
LANGUAGES: tuple[Language, ...] = ("nl", "en")
_VIEWS = ("passages", "sentences")
"""What has token vectors and words of its own, in Dutch and, where it is translated, in English."""
_POINTS_BACK = re.compile(r"(?:dit|deze|die|dat|dergelijke|hier\w+|daar\w+)\b", re.IGNORECASE)
_LOADING = threading.Lock()
"""NumPy parses the head of an array as Python, which CPython 3.11 cannot do in two threads at once (gh-106905)."""
Progress = Callable[[int, int], None]
"""Called with the number of texts embedded so far and their total."""


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Token vectors of many texts, one after another."""

    vectors: np.ndarray
    """float16, shape `(n_tokens, dim)`, centred and of unit length."""
    starts: np.ndarray
    """int64, shape `(n_texts + 1,)`: text i owns rows `starts[i]` to `starts[i + 1]`."""


@dataclass(frozen=True, slots=True)
class View:
    """All passages, or all sentences, in one language."""

    tokens: TokenTable
    """Of the texts that exist in this language, in order."""
    rows: np.ndarray
    """int64, ascending: the passage or sentence row of each text in `tokens`."""
    words: KeywordIndex
    """Over all rows; those that do not exist in this language are empty."""


def embedded_text(document: Document, passage: Passage, start: int, end: int) -> str:
    """The words that stand for a sentence or a passage in the model: under its heading.

    The heading often holds the word that a question uses (`Behandelingstraject Raad`), and the
    sentence does not.
    """
    title = document.section_title(passage.section) if passage.section else ""
    if passage.kind == "footnote":
        title = _footnote_title(document, passage)
    elif passage.kind == "field" and (about := gloss(title, "field")):
        title = f"{title} ({about})"
    text = document.text[start:end]
    return f"{title}: {text}" if title else text


def _english_text(document: Document, passage: Passage, spans: Sequence[Span], memory: TranslationMemory) -> str:
    """The same in English, or nothing where a part of it has no translation."""
    found = [memory.get(document.text[span.start : span.end]) for span in spans]
    heading = document.section_title(passage.section) if passage.section else ""
    known = memory.get(heading)
    title = known.target if known else ""
    if passage.kind == "footnote":
        title = _footnote_title(document, passage).split(",")[0].replace("Voetnoot", "Footnote")
    elif passage.kind == "field" and (about := gloss(heading, "field", english=True)):
        title = f"{title} ({about})"
    text = " ".join(segment.target for segment in found if segment)
    return (f"{title}: {text}" if title else text) if all(found) else ""


def _footnote_title(document: Document, passage: Passage) -> str:
    """`Voetnoot 5`; with the words that it explains where it only points at them (`Dit zijn …`)."""
    note = next(n for n in document.footnotes if n.start == passage.sentences[0].start)
    if note.anchor is None or not _POINTS_BACK.match(document.text[note.start : note.end]):
        return f"Voetnoot {note.number}"
    opening = max(document.text.rfind("\n\n", 0, note.anchor), document.text.rfind(". ", 0, note.anchor - 1))
    words = document.text[max(0, opening) : note.anchor].split()[-_ANCHOR_WORDS:]
    return f"Voetnoot {note.number}, {' '.join(words)}"


def write_snapshot(
    folder: Path,
    documents: Sequence[Document],
    encoder: Encoder,
    progress: Progress | None = None,
    memory: TranslationMemory | None = None,
) -> dict[str, int]:
    """Write every file of a snapshot into `folder`; returns its counts.

    What `memory` has the English of is embedded in both languages: two views of one passage.
    """
    memory = memory or TranslationMemory()
    passages = [(d, p) for d in documents for p in d.passages]
    sentences = [(d, p, s) for d, p in passages for s in p.sentences]
    own = [embedded_text(d, p, p.sentences[0].start, p.sentences[-1].end) for d, p in passages]
    texts = [embedded_text(d, p, s.start, s.end) for d, p, s in sentences]
    own_english = [_english_text(d, p, p.sentences, memory) for d, p in passages]
    english = [_english_text(d, p, [s], memory) for d, p, s in sentences]
    encoded = _encode(encoder, [t for t in (*own, *texts, *own_english, *english) if t], progress)
    centring = Centring.of(encoder)
    centring.save(folder)
    VectorIndex.build(np.stack([encoded[text].pooled for text in texts])).save(folder)
    for name, rows in zip(_VIEWS, (own, texts), strict=True):
        _write_view(folder / "nl" / name, rows, "nl", encoded, centring)
    for name, rows in zip(_VIEWS, (own_english, english), strict=True):
        _write_view(folder / "en" / name, rows, "en", encoded, centring)
    _write_translations(folder, documents, sentences, memory)
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(_to_json(document), ensure_ascii=False) + "\n")
    return {"documents": len(documents), "passages": len(passages), "sentences": len(sentences)}


def _write_view(
    folder: Path, texts: Sequence[str], lang: Language, encoded: Mapping[str, Encoded], centring: Centring
) -> None:
    """Token vectors and words of the texts; an empty text has neither."""
    folder.mkdir(parents=True)
    rows = [row for row, text in enumerate(texts) if text]
    tokens = [centring.passage(encoded[texts[row]].tokens, lang) for row in rows]
    np.save(folder / "rows.npy", np.array(rows, dtype=np.int64))
    np.save(folder / "tokens.npy", np.concatenate(tokens or [np.zeros((0, 0))]).astype(np.float16))
    np.save(folder / "starts.npy", np.cumsum([0, *(len(t) for t in tokens)], dtype=np.int64))
    KeywordIndex.build([terms(text, lang) for text in texts]).save(folder)


def _write_translations(
    folder: Path,
    documents: Sequence[Document],
    sentences: Sequence[tuple[Document, Passage, Span]],
    memory: TranslationMemory,
) -> None:
    texts = [d.text[s.start : s.end] for d, _, s in sentences]
    headings = [section.title for document in documents for section in document.sections]
    known = {words: [segment.target, segment.origin] for words in (*texts, *headings) if (segment := memory.get(words))}
    (folder / "translations.json").write_text(json.dumps(known, ensure_ascii=False, indent=0), encoding="utf-8")


def _encode(encoder: Encoder, texts: Iterable[str], progress: Progress | None) -> dict[str, Encoded]:
    """Vectors of each distinct text: a passage of one sentence is embedded once."""
    distinct = sorted(set(texts), key=lambda text: (len(text), text))  # the same on every run
    done: dict[str, Encoded] = {}
    for i in range(0, len(distinct), _CHUNK):
        batch = distinct[i : i + _CHUNK]
        done.update(zip(batch, encoder.encode(batch, query=False), strict=True))
        if progress:
            progress(len(done), len(distinct))
    return done


class Snapshot:
    """An index in memory. Never changes; threads may share it.

    Attributes:
        passages: document and passage of each passage row.
        sentences: span of each sentence row.
        passage_of: int64, shape `(n_sentences,)`: the passage row of each sentence row.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        try:
            self._load(folder)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise SnapshotDamagedError(f"{folder} cannot be read ({error}): run 'fiche index build'") from error
        self.passages: list[tuple[Document, Passage]] = [(d, p) for d in self.documents.values() for p in d.passages]
        self.sentences: list[Span] = [s for _, p in self.passages for s in p.sentences]
        self.passage_of = np.repeat(np.arange(len(self.passages)), [len(p.sentences) for _, p in self.passages])
        rows = (len(self.passage_views["nl"].rows), len(self.sentence_views["nl"].rows), self.vectors.rows)
        if rows != (len(self.passages), len(self.sentences), len(self.sentences)):
            raise SnapshotDamagedError(f"{folder} holds files of different indexes: run 'fiche index build'")

    def _load(self, folder: Path) -> None:
        with _LOADING:
            self.documents: Mapping[str, Document] = {d.id: d for d in _read_documents(folder)}
            self.centring = Centring.load(folder)
            self.vectors = VectorIndex.load(folder)
            self.passage_views = {lang: _read_view(folder / lang / "passages") for lang in LANGUAGES}
            self.sentence_views = {lang: _read_view(folder / lang / "sentences") for lang in LANGUAGES}
            stored = json.loads((folder / "translations.json").read_text(encoding="utf-8"))
            self._segments = {words: Segment(words, target, origin) for words, (target, origin) in stored.items()}

    def translation(self, words: str) -> str | None:
        """The English of a sentence, field, footnote or heading, where it is known."""
        return self._segments[words].target if words in self._segments else None

    def is_machine_made(self, words: str) -> bool:
        """Whether the English of these words was made by a machine and read by nobody."""
        return words in self._segments and self._segments[words].origin == "machine"

    @cached_property
    def first_sentence(self) -> np.ndarray:
        """int64, shape `(n_passages,)`: the row of each passage's first sentence."""
        return np.searchsorted(self.passage_of, np.arange(len(self.passages)))


def _read_view(folder: Path) -> View:
    vectors = np.load(folder / "tokens.npy", mmap_mode="r", allow_pickle=False)
    table = TokenTable(vectors, np.load(folder / "starts.npy", allow_pickle=False))
    return View(table, np.load(folder / "rows.npy", allow_pickle=False), KeywordIndex.load(folder))


def _to_json(document: Document) -> dict[str, Any]:
    return {**asdict(document), "metadata": dict(document.metadata)}


def _read_documents(folder: Path) -> Iterable[Document]:
    with (folder / "documents.jsonl").open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            fields["sections"] = tuple(Section(**s) for s in fields["sections"])
            fields["footnotes"] = tuple(Footnote(**f) for f in fields["footnotes"])
            fields["passages"] = tuple(
                Passage(**{**p, "sentences": tuple(Span(**s) for s in p["sentences"])}) for p in fields["passages"]
            )
            yield Document(**fields)
