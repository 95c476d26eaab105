"""Invents passages by the hundred thousand out of some thousand that were really read, to measure size with.

Knows nothing of what is measured. Encoding a million passages takes days on two cores, so only the
training texts are; a synthetic sentence is the greater part of one real sentence and the end of another,
words and token vectors alike, all of them shifted one of `_VARIANTS` ways and blurred, so that hardly two
are the same. Everything else of an index is made of it the way it is made of real documents.
What is found in such text says nothing about answers; how fast, in how much memory, and whether the
search finds what comparing all finds, it does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from evals.reader.corpus import Corpus
from index.centring import Centring
from index.encoder import Encoder
from index.keywords import KeywordIndex
from index.manifest import Counts
from index.memory import TranslationMemory
from index.packing import packing
from index.ranges import ranges
from index.records import Document, Passage, Span
from index.segment import DocumentEntry, to_json, write_entries
from index.tokens import TokensWriter
from index.vectors import VectorIndex
from index.words import terms
from index.writing import content_digest

__all__ = ["Pool", "make_pool", "write_synthetic"]

_VARIANTS = 16
_SHIFT, _BLUR = 0.5, 0.3
"""What is added to a centred token vector of length 1: a shift that a text's tokens share, and one of its own."""
_CUTS = (0.7, 0.8, 0.9)
_PASSAGES = 100
"""In a document."""
_AT_ONCE = 2000


@dataclass(frozen=True)
class Pool:
    """First and last parts of real sentences.

    Attributes:
        words: of each part.
        sums: float32 `(_VARIANTS, n_parts, dim)`: the sum of its token vectors in each variant, as they are packed.
        starts: int64 `(n_parts,)`: its first row in `packed`; `lengths` rows are its own.
        packed: uint8 `(_VARIANTS, n_tokens, bytes)`: the packed vectors of all tokens, in each variant.
        term_ids: the terms of each part, as places in `terms`.
    """

    words: list[str]
    sums: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    heads: int
    packed: np.ndarray
    terms: list[str]
    term_ids: list[np.ndarray]
    centring: Centring
    codec: str


def make_pool(corpus: Corpus, encoder: Encoder, codec: str, kept: Path) -> Pool:
    """Read every sentence of the corpus, or take what an earlier call kept in the file `kept`, and cut them."""
    sentences = list(dict.fromkeys(t.sentence(j) for t in corpus.texts for j in range(len(t.spans))))
    sentences = [sentence for sentence in sentences if len(sentence.split()) > 5]
    if not kept.exists():
        encoded = [encoder.encode([sentence], query=False)[0].tokens for sentence in sentences]
        with kept.open("wb") as file:
            np.savez(file, tokens=np.concatenate(encoded).astype(np.float16), lengths=[len(e) for e in encoded])
    with np.load(kept, allow_pickle=False) as stored:
        tokens, sizes = stored["tokens"].astype(np.float32), stored["lengths"]
    return _cut(sentences, tokens, np.concatenate([[0], np.cumsum(sizes)]), Centring.of(encoder), codec)


def _cut(sentences: Sequence[str], tokens: np.ndarray, first: np.ndarray, centring: Centring, codec: str) -> Pool:
    rng = np.random.default_rng(7)
    parts: list[tuple[str, int, int]] = []
    for last in (False, True):
        for i, sentence in enumerate(sentences):
            words = sentence.split()
            for cut in _CUTS:
                at = max(1, round(cut * len(words)))
                place = int(first[i] + max(1, round(cut * (first[i + 1] - first[i]))))
                own = (place, int(first[i + 1])) if last else (int(first[i]), place)
                parts.append((" ".join(words[at:] if last else words[:at]), *own))
    centred = centring.passage(tokens)
    shifts = _unit(rng.standard_normal((_VARIANTS, tokens.shape[1])))
    blurs = _unit(rng.standard_normal((4096, tokens.shape[1])))
    way = packing(codec, tokens.shape[1])
    starts, ends = (np.array([part[i] for part in parts], dtype=np.int64) for i in (1, 2))
    sums = np.empty((_VARIANTS, len(parts), tokens.shape[1]), dtype=np.float32)
    packed = np.empty((_VARIANTS, len(tokens), way.bytes), dtype=np.uint8)
    for variant, shift in enumerate(shifts):
        for i in range(0, len(tokens), len(blurs)):
            some = centred[i : i + len(blurs)] + _SHIFT * shift
            some += _BLUR * np.roll(blurs, int(rng.integers(len(blurs))), axis=0)[: len(some)]
            packed[variant, i : i + len(some)] = way.pack(_unit(some))
        before = np.cumsum(np.pad(way.unpack(packed[variant]), ((1, 0), (0, 0))), axis=0, dtype=np.float64)
        sums[variant] = before[ends] - before[starts]
    numbers: dict[str, int] = {}
    ids = [np.array([numbers.setdefault(t, len(numbers)) for t in terms(w)], dtype=np.int64) for w, _, _ in parts]
    return Pool(
        [w for w, _, _ in parts], sums, starts, ends - starts, len(parts) // 2, packed,
        list(numbers), ids, centring, codec,
    )  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def write_synthetic(folder: Path, pool: Pool, passages: int, seed: int) -> Counts:
    """Write a segment of so many synthetic passages; another seed makes others."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, passages)  # sentences of a passage: three on average, as in fiches
    owners = np.repeat(np.arange(passages), sizes)
    heads = rng.integers(pool.heads, size=len(owners))
    tails = rng.integers(pool.heads, 2 * pool.heads, size=len(owners))
    variants = rng.integers(_VARIANTS, size=passages)
    pool.centring.save(folder)
    own = variants[owners]
    VectorIndex.build(_unit(pool.sums[own, heads] + pool.sums[own, tails])).save(folder)
    parts = np.stack([heads, tails], axis=1)
    _write_view(folder / "nl" / "sentences", pool, parts.ravel(), np.arange(len(owners)).repeat(2), own, seed)
    _write_view(folder / "nl" / "passages", pool, parts.ravel(), owners.repeat(2), variants, seed)
    for view, count in (("passages", passages), ("sentences", len(owners))):
        TokensWriter(folder / "en" / view, pool.codec, pool.sums.shape[2]).close()
        np.zeros(0, np.int64).tofile(folder / "en" / view / "rows.i64")
        KeywordIndex.build([[]] * count).save(folder / "en" / view)
    (folder / "translations.json").write_text("{}", encoding="utf-8")
    sizes.astype(np.int32).tofile(folder / "sentence_counts.i32")
    documents = _documents(pool, sizes, parts, seed)
    return {
        "documents": _write_documents(folder, pool.codec, documents),
        "passages": passages,
        "sentences": len(owners),
    }


def _write_view(
    folder: Path, pool: Pool, parts: np.ndarray, owners: np.ndarray, variants: np.ndarray, seed: int
) -> None:
    """Texts made of parts: `owners` says of each part which text it belongs to, ascending."""
    writer = TokensWriter(folder, pool.codec, pool.sums.shape[2])
    texts = len(variants)
    bounds = np.searchsorted(owners, np.arange(0, texts + _AT_ONCE, _AT_ONCE))
    for start, end in pairwise(bounds):
        own, sizes = parts[start:end], pool.lengths[parts[start:end]]
        places = ranges(pool.starts[own], sizes)
        rows = pool.packed[np.repeat(variants[owners[start:end]], sizes), places]
        writer.add_packed(rows, np.add.reduceat(sizes, np.flatnonzero(np.diff(owners[start:end], prepend=-1))))
    writer.close()
    np.arange(texts, dtype=np.int64).tofile(folder / "rows.i64")
    _write_words(folder, pool, parts, owners, texts, seed)


def _write_words(folder: Path, pool: Pool, parts: np.ndarray, owners: np.ndarray, texts: int, seed: int) -> None:
    """The words of the parts, and for each text a number that no other has: large indexes have many rare words."""
    sizes = np.array([len(ids) for ids in pool.term_ids])
    ids = np.concatenate([pool.term_ids[part] for part in parts])
    order = np.argsort(pool.terms)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows = np.repeat(owners, sizes[parts])
    keys, counts = np.unique(rows * len(order) + place[ids], return_counts=True)
    lengths = np.bincount(rows, minlength=texts)
    own = [f"{seed}x{text:08}" for text in range(texts)]
    words = [*(pool.terms[i].encode() for i in order), *(word.encode() for word in own)]
    alphabet = np.argsort(np.array(words, dtype=object), kind="stable")
    rank = np.empty(len(words), dtype=np.int32)
    rank[alphabet] = np.arange(len(words), dtype=np.int32)
    all_ids = rank[np.concatenate([keys % len(order), len(order) + np.arange(texts)])]
    all_rows = np.concatenate([keys // len(order), np.arange(texts)]).astype(np.int32)
    all_counts = np.concatenate([counts, np.ones(texts, np.int64)]).astype(np.uint16)
    sorted_words = [words[i] for i in alphabet]
    KeywordIndex.of_triples(sorted_words, all_ids, all_rows, all_counts, (lengths + 1).astype(np.int32)).save(folder)


def _documents(pool: Pool, sizes: np.ndarray, parts: np.ndarray, seed: int) -> Iterator[Document]:
    at = 0
    for first in range(0, len(sizes), _PASSAGES):
        name, text, passages = f"synthetisch-{seed}-{first // _PASSAGES}", "", []
        for number, size in enumerate(sizes[first : first + _PASSAGES]):
            spans: list[Span] = []
            for head, tail in parts[at : at + size]:
                start = len(text) + (0 if not text else 1 if spans else 2)
                text += ("" if not text else " " if spans else "\n\n") + f"{pool.words[head]} {pool.words[tail]}"
                spans.append(Span(start, len(text)))
            at += int(size)
            passages.append(
                Passage(f"{name}-{number}", "paragraph", spans[0].start, spans[-1].end, "", "", tuple(spans))
            )
        yield Document(name, name, text, (), tuple(passages), (), {}, (0,), (1,))


def _write_documents(folder: Path, codec: str, documents: Iterator[Document]) -> int:
    entries: list[DocumentEntry] = []
    at = 0
    nothing = TranslationMemory()
    with (folder / "documents.jsonl").open("wb") as file:
        for document in documents:
            line = to_json(document).encode() + b"\n"
            file.write(line)
            sentences = sum(len(passage.sentences) for passage in document.passages)
            digest = content_digest(document, nothing)
            entries.append(
                DocumentEntry(
                    document.id, document.title, digest, at, at + len(line), len(document.passages), sentences
                )
            )
            at += len(line)
    write_entries(folder, codec, entries)
    return len(entries)
