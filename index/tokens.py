"""Keeps the token vectors of many texts in a file, and reads those of the texts that are asked for.

Knows nothing of what the texts are. A million passages have some hundred million token vectors: they
stay on the disk, packed (`index/packing.py`), and only candidates are read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index.blocks import Mapped
from index.keywords import Open, unchecked
from index.packing import Packing, packing

__all__ = ["TokenTable", "Tokens", "TokensWriter"]

_FILE, _LENGTHS = "tokens.map", "lengths.i32"
_AT_ONCE = 8192
"""Token vectors unpacked together: which a processor keeps near it."""


class TokensWriter:
    """Writes the token vectors of one text after another into a folder."""

    def __init__(self, folder: Path, codec: str, dim: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._packing = folder, packing(codec, dim)
        self._file = (folder / _FILE).open("wb")
        self._lengths: list[np.ndarray] = []

    def add(self, texts: Sequence[np.ndarray]) -> None:
        """Write float32 unit vectors, an array `(n_tokens, dim)` for each text, none of them empty."""
        if texts:
            self._file.write(self._packing.pack(np.concatenate(texts)).tobytes())
            self._lengths.append(np.array([len(text) for text in texts], dtype=np.int64))

    def add_packed(self, rows: np.ndarray, lengths: np.ndarray) -> None:
        """Write vectors that are packed already, uint8 `(n_tokens, bytes)`, of texts of those lengths."""
        self._file.write(np.ascontiguousarray(rows).tobytes())
        self._lengths.append(lengths.astype(np.int64))

    def copy(self, tokens: "Tokens", kept: np.ndarray) -> None:
        """Write the texts `kept` of another table, which need not be packed the same way."""
        for text in kept:
            if tokens.packing is self._packing:
                self._file.write(tokens.packed(int(text)).tobytes())
            else:
                self._file.write(self._packing.pack(tokens.packing.unpack(tokens.packed(int(text)))).tobytes())
        self._lengths.append(tokens.lengths[kept])

    def close(self) -> None:
        """Finish the files."""
        self._file.close()
        np.concatenate([np.zeros(0, np.int64), *self._lengths]).astype(np.int32).tofile(self._folder / _LENGTHS)


class Tokens:
    """The token vectors of the texts of one segment."""

    def __init__(self, mapped: Mapped, lengths: np.ndarray, packed_as: Packing) -> None:
        self._mapped, self.lengths, self.packing = mapped, lengths, packed_as
        self._starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    @classmethod
    def load(cls, folder: Path, codec: str, dim: int, opened: Open = unchecked) -> "Tokens":
        """What a `TokensWriter` wrote to the same folder, its vectors left on the disk.

        Raises:
            OSError, ValueError: a file is missing or of another size.
        """
        lengths = np.fromfile(folder / _LENGTHS, np.int32)
        mapped, packed_as = opened(folder / _FILE), packing(codec, dim)
        if mapped.size != packed_as.bytes * int(lengths.sum()):
            raise ValueError(f"{folder / _FILE} has {mapped.size} bytes")
        return cls(mapped, lengths, packed_as)

    def packed(self, text: int) -> np.ndarray:
        """The vectors of a text, as they are packed."""
        return self._mapped.rows(np.uint8, self.packing.bytes, int(self._starts[text]), int(self._starts[text + 1]))

    def expect(self, texts: np.ndarray) -> None:
        """Have the disk fetch the vectors of some texts that are read next."""
        self._mapped.expect(self.packing.bytes * self._starts[texts], self.packing.bytes * self._starts[texts + 1])

    def gathered(self, texts: np.ndarray) -> np.ndarray:
        """The vectors of some texts, one text's after another's, as they are packed."""
        width = self.packing.bytes
        return self._mapped.gather(width * self._starts[texts], width * self._starts[texts + 1]).reshape(-1, width)


class TokenTable:
    """The token vectors of the texts of several segments, one segment's after another's."""

    def __init__(self, parts: Sequence[tuple[Tokens, np.ndarray]]) -> None:
        """Join the texts `kept` of each `(tokens, kept)`."""
        self._parts = list(parts)
        self._first = np.cumsum([0, *(len(kept) for _, kept in parts)])
        lengths = [tokens.lengths[kept] for tokens, kept in parts]
        self.lengths: np.ndarray = np.concatenate([np.zeros(0, np.int32), *lengths])
        """int32, shape `(n_texts,)`: how many token vectors each text has."""

    def whole(self) -> np.ndarray:
        """All vectors: float32, shape `(n_tokens, dim)`."""
        pieces = [packed.unpack(rows) for packed, rows, _ in self._pieces(np.arange(len(self.lengths)))]
        return np.concatenate(pieces) if pieces else np.zeros((0, 0), np.float32)

    def similarities(self, question: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """The best cosine of each question token with any token of each text.

        Args:
            question: unit vectors, shape `(n_question_tokens, dim)`.
            texts: int64, ascending, shape `(n_texts,)`.

        Returns:
            float32, shape `(n_question_tokens, n_texts)`.
        """
        pieces = self._pieces(texts)
        found = [np.maximum.reduceat(packed.dots(rows, question), firsts).T for packed, rows, firsts in pieces]
        return np.concatenate([np.zeros((len(question), 0), dtype=np.float32), *found], axis=1)

    def _pieces(self, texts: np.ndarray) -> Iterator[tuple[Packing, np.ndarray, np.ndarray]]:
        """The packed vectors of some texts, a few thousand at a time, and among them the first of each text."""
        bounds = np.searchsorted(texts, self._first)
        for (tokens, kept), first, start, end in zip(self._parts, self._first, bounds, bounds[1:], strict=False):
            own = kept[texts[start:end] - first]
            tokens.expect(own)
            lengths = tokens.lengths[own].astype(np.int64)
            cuts = np.flatnonzero(np.diff(np.cumsum(lengths) // _AT_ONCE)) + 1
            for some in np.split(np.arange(len(own)), cuts) if len(own) else []:
                yield tokens.packing, tokens.gathered(own[some]), np.cumsum(lengths[some]) - lengths[some]
