"""Writes a segment: documents with the vectors and words that find them, or several segments as one.

Knows nothing of questions, nor of which segments an index consists of.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from index.centring import Centring, mean_direction
from index.embedded import EmbeddedTexts, known_english, texts_of
from index.encoder import Encoded
from index.keywords import KeywordIndex
from index.memory import TranslationMemory
from index.records import Document
from index.segment import LANGUAGES, VIEWS, DocumentEntry, Segment, to_json, write_entries
from index.tokens import TokensWriter
from index.vectors import VectorIndex
from index.words import terms

__all__ = ["Embed", "Kept", "Progress", "content_digest", "merge_segments", "write_segment"]

Progress = Callable[[int, int], None]
"""Called with the number of texts embedded so far and their total."""
Embed = Callable[[Sequence[str], Progress | None], Mapping[str, Encoded]]
"""Turns texts into their vectors, all of them, and says how far it is."""
Vectors = Callable[[Sequence[str]], Mapping[str, Encoded]]
Kept = tuple[Segment, np.ndarray]
"""A segment, and the numbers of those of its documents that still count."""
_TEXTS_AT_ONCE = 64
_TELLING = ("title", "number", "date", "ministry")
"""What of a document's metadata is known without reading it."""


def content_digest(document: Document, memory: TranslationMemory) -> str:
    """What a document and its translations are, in one number: where it is the same, nothing has to be done."""
    english = sorted(set(known_english(document, memory)))
    return hashlib.sha256((to_json(document) + json.dumps(english)).encode()).hexdigest()


def write_segment(
    folder: Path,
    documents: Sequence[Document],
    embed: Vectors,
    centring: Centring,
    codec: str,
    memory: TranslationMemory,
) -> dict[str, int]:
    """Write every file of a segment into `folder`; returns its counts.

    What `memory` has the English of is embedded in both languages: two views of one passage.
    """
    texts = texts_of(documents, memory)
    encoded = embed(texts.distinct())
    centring.save(folder)
    means = [mean_direction(centring.passage(encoded[text].tokens)) for text in texts.sentences["nl"]]
    VectorIndex.build(np.stack(means)).save(folder)
    _write_views(folder, texts, encoded, centring, codec)
    known = {words: made for d in documents for words, *made in known_english(d, memory)}
    (folder / "translations.json").write_text(json.dumps(known, ensure_ascii=False, indent=0), encoding="utf-8")
    counts = [len(p.sentences) for d in documents for p in d.passages]
    lines = [(d.id, d.title, content_digest(d, memory), to_json(d).encode() + b"\n") for d in documents]
    sizes = [(len(d.passages), sum(len(p.sentences) for p in d.passages)) for d in documents]
    told = [{name: d.metadata[name] for name in _TELLING if name in d.metadata} for d in documents]
    whole = [(*line, *size, about) for line, size, about in zip(lines, sizes, told, strict=True)]
    _write_documents(folder, codec, whole)
    np.array(counts, dtype=np.int32).tofile(folder / "sentence_counts.i32")
    return {"documents": len(documents), "passages": len(counts), "sentences": sum(counts)}


def _write_views(
    folder: Path, texts: EmbeddedTexts, encoded: Mapping[str, Encoded], centring: Centring, codec: str
) -> None:
    """Token vectors and words of the texts; an empty text has neither."""
    for view, by_language in zip(VIEWS, (texts.passages, texts.sentences), strict=True):
        for lang, own in by_language.items():
            place = folder / lang / view
            rows = [row for row, text in enumerate(own) if text]
            writer = TokensWriter(place, codec, len(centring.passages[lang]))
            for i in range(0, len(rows), _TEXTS_AT_ONCE):
                some = rows[i : i + _TEXTS_AT_ONCE]
                writer.add([centring.passage(encoded[own[row]].tokens, lang) for row in some])
            writer.close()
            np.array(rows, dtype=np.int64).tofile(place / "rows.i64")
            KeywordIndex.build(terms(text, lang) for text in own).save(place)


def _write_documents(
    folder: Path, codec: str, documents: Sequence[tuple[str, str, str, bytes, int, int, dict[str, str]]]
) -> list[DocumentEntry]:
    """Write the stored documents, and what is known of them without reading them."""
    entries: list[DocumentEntry] = []
    at = 0
    with (folder / "documents.jsonl").open("wb") as file:
        for name, title, digest, line, passages, sentences, told in documents:
            file.write(line)
            entries.append(DocumentEntry(name, title, digest, at, at + len(line), passages, sentences, told))
            at += len(line)
    write_entries(folder, codec, entries)
    return entries


def merge_segments(folder: Path, parts: Sequence[Kept], codec: str) -> dict[str, int]:
    """Write one segment with the documents of several, as if they had been written together.

    Vectors that are packed as `codec` says already are copied as they are.
    """
    passages = [segment.passage_rows(kept) for segment, kept in parts]
    sentences = [segment.sentence_rows(rows) for (segment, _), rows in zip(parts, passages, strict=True)]
    parts[0][0].centring.save(folder)
    pooled = [segment.vectors.vectors()[rows] for (segment, _), rows in zip(parts, sentences, strict=True)]
    VectorIndex.build(np.concatenate(pooled)).save(folder)
    for view, kept_rows in zip(VIEWS, (passages, sentences), strict=True):
        for lang in LANGUAGES:
            own = [segment.views[view][lang] for segment, _ in parts]
            writer = TokensWriter(folder / lang / view, codec, parts[0][0].vectors.dim)
            rows, first = [np.zeros(0, np.int64)], 0
            for each, kept in zip(own, kept_rows, strict=True):
                met = np.flatnonzero(np.isin(each.rows, kept))
                writer.copy(each.tokens, met)
                rows.append(np.searchsorted(kept, each.rows[met]) + first)
                first += len(kept)
            writer.close()
            np.concatenate(rows).tofile(folder / lang / view / "rows.i64")
            joined = [(each.words, kept) for each, kept in zip(own, kept_rows, strict=True)]
            KeywordIndex.join(joined).save(folder / lang / view)
    return _merge_documents(folder, parts, passages, codec)


def _merge_documents(folder: Path, parts: Sequence[Kept], passages: Sequence[np.ndarray], codec: str) -> dict[str, int]:
    counts = np.concatenate([s.sentence_counts[rows] for (s, _), rows in zip(parts, passages, strict=True)])
    counts.tofile(folder / "sentence_counts.i32")
    known = {w: [t.target, t.origin] for segment, _ in parts for w, t in segment.translations.items()}
    (folder / "translations.json").write_text(json.dumps(known, ensure_ascii=False, indent=0), encoding="utf-8")

    def stored() -> Iterator[tuple[str, str, str, bytes, int, int, dict[str, str]]]:
        for segment, kept in parts:
            for number in kept:
                e = segment.entries[number]
                yield e.id, e.title, e.digest, segment.raw(int(number)), e.passages, e.sentences, e.metadata

    entries = _write_documents(folder, codec, list(stored()))
    return {"documents": len(entries), "passages": len(counts), "sentences": int(counts.sum())}
