"""Keyword search over rows of words: Okapi BM25 over postings that lie in files.

Knows nothing of vectors or of what the rows stand for. An index consists of parts that were written
at different times, and a word weighs by how rare it is in all of them; libraries such as bm25s put
that weight into each part when it is written. So here the postings are stored as they are, and
weighed when they are asked (Lucene's variant, k1 = 1.5, b = 0.75; Robertson & Zaragoza, 2009). Only
the postings of the words that are asked for are read; a test compares the scores with those of bm25s.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from index.blocks import Mapped

__all__ = ["KeywordIndex", "Keywords", "Open", "unchecked"]

Open = Callable[[Path], Mapped]
"""Opens a large file so that it is checked as it is read."""
_FOLDER = "keywords"
_K1, _B = 1.5, 0.75
_MOST = 65_535
_NAMES = {"rows": "postings.map", "counts": "counts.map"}
_TYPES: dict[str, type] = {"rows": np.int32, "counts": np.uint16}


def unchecked(path: Path) -> Mapped:
    """Opens a file that was checked already."""
    return Mapped(path, None)


class KeywordIndex:
    """The postings of one part: for each term the rows that have it, and how often."""

    def __init__(
        self, terms: Sequence[bytes], starts: np.ndarray, lengths: np.ndarray, rows: "_Column", counts: "_Column"
    ) -> None:
        self._terms, self._starts, self.lengths = terms, starts, lengths
        self._rows, self._counts = rows, counts

    @classmethod
    def build(cls, rows: Iterable[Sequence[str]]) -> "KeywordIndex":
        """Index rows of terms; a row may be empty. A term is counted up to 65,535 times in one row."""
        numbers: dict[str, int] = {}
        owners: list[np.ndarray] = []
        ids: list[np.ndarray] = []
        times: list[np.ndarray] = []
        lengths: list[int] = []
        for row, words in enumerate(rows):
            found = Counter(words)
            ids.append(np.array([numbers.setdefault(term, len(numbers)) for term in found], dtype=np.int32))
            times.append(np.minimum(list(found.values()), _MOST).astype(np.uint16))
            owners.append(np.full(len(found), row, dtype=np.int32))
            lengths.append(max(1, len(words)))
        order = sorted(numbers, key=str.encode)
        place = np.empty(len(order), dtype=np.int32)
        place[[numbers[term] for term in order]] = np.arange(len(order), dtype=np.int32)
        return cls.of_triples(
            [term.encode() for term in order],
            place[_joined(ids, np.int32)],
            _joined(owners, np.int32),
            _joined(times, np.uint16),
            np.array(lengths, dtype=np.int32),
        )

    @classmethod
    def of_triples(
        cls, terms: Sequence[bytes], ids: np.ndarray, rows: np.ndarray, counts: np.ndarray, lengths: np.ndarray
    ) -> "KeywordIndex":
        """Index which of the sorted terms stands in which row how often: arrays of one length, by ascending row."""
        order = np.argsort(ids, kind="stable")
        starts = np.searchsorted(ids[order], np.arange(len(terms) + 1))
        return cls(terms, starts, lengths, _Column(rows[order]), _Column(counts[order]))

    @classmethod
    def join(cls, parts: "Sequence[tuple[KeywordIndex, np.ndarray]]") -> "KeywordIndex":
        """One part out of several, of each only the rows that are given, in order: what `build` makes of them."""
        terms = sorted(set().union(*(part._terms for part, _ in parts)))
        ids, rows, counts = [], [], []
        first = 0
        for part, kept in parts:
            new = np.full(len(part.lengths), -1, dtype=np.int32)
            new[kept] = np.arange(first, first + len(kept), dtype=np.int32)
            owner = np.repeat(np.searchsorted(terms, list(part._terms)) if part._terms else [], np.diff(part._starts))
            renamed = new[part._rows.all()]
            ids.append(owner[renamed >= 0].astype(np.int32))
            rows.append(renamed[renamed >= 0])
            counts.append(part._counts.all()[renamed >= 0])
            first += len(kept)
        own = _joined(ids, np.int32)
        used, own = np.unique(own, return_inverse=True)
        lengths = _joined([part.lengths[kept] for part, kept in parts], np.int32)
        joined_rows, joined_counts = _joined(rows, np.int32), _joined(counts, np.uint16)
        order = np.lexsort((joined_rows, own))
        return cls.of_triples([terms[i] for i in used], own[order], joined_rows[order], joined_counts[order], lengths)

    @classmethod
    def load(cls, folder: Path, opened: Open = unchecked) -> "KeywordIndex":
        """What `save` wrote to the same folder, its postings left on the disk.

        Raises:
            OSError, ValueError: a file is missing or of another kind.
        """
        folder = folder / _FOLDER
        blob = (folder / "terms.txt").read_bytes()
        columns = [
            _Column(opened(folder / _NAMES["rows"]), np.int32),
            _Column(opened(folder / _NAMES["counts"]), np.uint16),
        ]
        starts, lengths = np.fromfile(folder / "starts.i64", np.int64), np.fromfile(folder / "lengths.i32", np.int32)
        return cls(blob.split(b"\n")[:-1], starts, lengths, *columns)

    def save(self, folder: Path) -> None:
        """Write the part below `folder`."""
        folder = folder / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "terms.txt").write_bytes(b"".join(term + b"\n" for term in self._terms))
        self._starts.astype(np.int64).tofile(folder / "starts.i64")
        self.lengths.tofile(folder / "lengths.i32")
        self._rows.all().tofile(folder / _NAMES["rows"])
        self._counts.all().tofile(folder / _NAMES["counts"])

    def scores(self, query: Sequence[str]) -> np.ndarray:
        """BM25 of every row of this part alone, as `Keywords.scores`."""
        return self._alone.scores(query)

    def knows(self, term: str) -> bool:
        """Whether any row has the term."""
        return len(self.postings(term)[0]) > 0

    @cached_property
    def _alone(self) -> "Keywords":
        return Keywords([(self, np.arange(len(self.lengths)))])

    def terms(self) -> list[str]:
        """All terms, sorted by their bytes."""
        return [term.decode() for term in self._terms]

    def postings(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        """The rows that have the term, ascending, and how often each has it; both empty where none has."""
        word = term.encode("utf-8", "replace")
        place = bisect_left(self._terms, word)
        if place == len(self._terms) or self._terms[place] != word:
            return np.zeros(0, np.int32), np.zeros(0, np.uint16)
        start, end = int(self._starts[place]), int(self._starts[place + 1])
        return self._rows.read(start, end), self._counts.read(start, end)


class _Column:
    """A column of numbers, in memory or on the disk."""

    def __init__(self, source: "np.ndarray | Mapped", dtype: type = np.int32) -> None:
        self._source, self._dtype = source, dtype

    def read(self, start: int, end: int) -> np.ndarray:
        if isinstance(self._source, Mapped):
            return self._source.rows(self._dtype, 1, start, end)[:, 0]
        return self._source[start:end]

    def all(self) -> np.ndarray:
        if isinstance(self._source, Mapped):
            return self.read(0, self._source.size // np.dtype(self._dtype).itemsize)
        return self._source


class Keywords:
    """BM25 scores over the rows of several parts, one part's after another's.

    Of each part only the rows in `kept` count, and only they have a score.
    """

    def __init__(self, parts: Sequence[tuple[KeywordIndex, np.ndarray]]) -> None:
        self._parts = [(part, None if len(kept) == len(part.lengths) else kept) for part, kept in parts]
        lengths = _joined([part.lengths[kept] for part, kept in parts], np.int32)
        self._first = np.cumsum([0, *(len(kept) for _, kept in parts)])
        self.rows = len(lengths)
        mean = lengths.mean() if self.rows else 1.0
        self._norms = (_K1 * (1 - _B + _B * lengths / mean)).astype(np.float32)

    def scores(self, query: Sequence[str]) -> np.ndarray:
        """BM25 of every row: float32, shape `(n_rows,)`; zeros where no word is known.

        Each row that has a term gains idf · tf / (tf + k1 · (1 - b + b · length / mean length)).
        """
        found = np.zeros(self.rows, dtype=np.float32)
        for term, times in Counter(query).items():
            rows, counts = self.postings(term)
            if not len(rows):
                continue
            rarity = times * np.log(1 + (self.rows - len(rows) + 0.5) / (len(rows) + 0.5))
            found[rows] += rarity * counts / (counts + self._norms[rows])
        return found

    def knows(self, term: str) -> bool:
        """Whether any row has the term."""
        return len(self.postings(term)[0]) > 0

    def postings(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        """The rows that have the term, ascending, and how often: int64 and float32."""
        all_rows, all_counts = [], []
        for (part, kept), first in zip(self._parts, self._first, strict=False):
            rows, counts = part.postings(term)
            if kept is not None and len(rows):
                places = np.searchsorted(kept, rows)
                met = kept[np.minimum(places, len(kept) - 1)] == rows if len(kept) else np.zeros(len(rows), bool)
                rows, counts = places[met], counts[met]
            all_rows.append(rows + first)
            all_counts.append(counts)
        return _joined(all_rows, np.int64), _joined(all_counts, np.float32)


def _joined(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(arrays).astype(dtype, copy=False) if arrays else np.zeros(0, dtype)
