"""Nearest vectors by inner product, in FAISS. The only file that imports faiss.

Knows nothing of what the rows stand for. FAISS notices no bit rot and may crash when one thread
adds while another searches; so an index here is never changed after it is built, and is read only
from files whose digest was checked. Up to `EXACT` vectors every one is compared; beyond, those in the
cells that are nearest (an inverted file, vectors of one byte a value): `python -m evals.scale` says
what that costs and saves.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np

from index.errors import SnapshotDamagedError

__all__ = ["EXACT", "VectorIndex", "VectorSearch", "Vectors"]

_FILE = "vectors.faiss"
EXACT = 100_000
"""Up to so many vectors the search compares all of them."""
_PROBES = 64
"""Cells that are searched for one question."""
_TRAINED = 32
"""Vectors for each cell that the cells are found from."""


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """How the nearest of some vectors are found."""

    engine: Literal["FAISS", "Milvus"]
    index: str
    """As the engine calls it: `Flat`, `IVF16384,SQ8`."""
    rows: int
    """Vectors that are searched so."""
    probes: int = 0
    """Cells that are searched for one question; 0 where every vector is compared."""

    @property
    def kind(self) -> Literal["exact", "approximate"]:
        """Whether it always finds the nearest."""
        return "approximate" if self.probes else "exact"


class VectorIndex:
    """A FAISS index of unit vectors: inner product is cosine."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._cells = isinstance(engine, faiss.IndexIVF)

    @classmethod
    def build(cls, vectors: np.ndarray, exact: int = EXACT) -> "VectorIndex":
        """Index float32 unit vectors, shape `(n_rows, dim)`; every one is compared up to `exact` of them."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if len(vectors) <= exact:
            engine: Any = faiss.IndexFlatIP(vectors.shape[1])
        else:
            cells = 1 << round(np.log2(4 * len(vectors) ** 0.5))
            engine = faiss.index_factory(vectors.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
            engine.cp.seed, engine.cp.niter, engine.cp.max_points_per_centroid = 1, 6, _TRAINED
            step = max(1, len(vectors) // (_TRAINED * cells))
            engine.train(vectors[::step])
        engine.add(vectors)
        return cls(engine)

    @classmethod
    def load(cls, folder: Path) -> "VectorIndex":
        """What `save` wrote to the same folder.

        Raises:
            SnapshotDamagedError: the file is no FAISS index.
        """
        try:
            return cls(faiss.read_index(str(folder / _FILE)))
        except RuntimeError as error:
            raise SnapshotDamagedError(f"{folder / _FILE} is damaged: run 'fiche index build'") from error

    def save(self, folder: Path) -> None:
        """Write the index into `folder`.

        Raises:
            OSError: the disk does not take it (FAISS's own writer would hide which way).
        """
        (folder / _FILE).write_bytes(faiss.serialize_index(self._engine).tobytes())

    @property
    def rows(self) -> int:
        """How many vectors there are."""
        return int(self._engine.ntotal)

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return int(self._engine.d)

    @property
    def search_kind(self) -> VectorSearch:
        """How it searches."""
        if not self._cells:
            return VectorSearch("FAISS", "Flat", self.rows)
        return VectorSearch("FAISS", f"IVF{self._engine.nlist},SQ8", self.rows, min(_PROBES, self._engine.nlist))

    def vectors(self) -> np.ndarray:
        """All vectors, as they are kept: float32, shape `(n_rows, dim)`."""
        if self._cells:
            self._engine.make_direct_map()
        return np.asarray(self._engine.reconstruct_n(0, self.rows))

    def search(self, vector: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and cosines of the `k` nearest of `vector`, best first: shapes `(min(k, n_rows),)`.

        Args:
            vector: shape `(dim,)`.
            k: how many are wanted.
            among: the only rows that may be found; all where it is `None`.
        """
        count = min(k, self.rows if among is None else len(among))
        if not count:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        given = {} if among is None else {"sel": faiss.IDSelectorBatch(among)}
        kind = faiss.SearchParametersIVF if self._cells else faiss.SearchParameters
        chosen = {"nprobe": _PROBES} if self._cells else {}
        query = vector.reshape(1, -1).astype(np.float32)
        scores, rows = self._engine.search(query, count, params=kind(**given, **chosen))
        found = rows[0] >= 0  # the cells searched may hold fewer
        return rows[0][found], scores[0][found]


class Vectors:
    """Nearest vectors over several indexes, one's rows after another's; of each only the rows in `kept` count."""

    def __init__(self, parts: Sequence[tuple[VectorIndex, np.ndarray]]) -> None:
        self._parts = [(part, None if len(kept) == part.rows else kept) for part, kept in parts]
        self._first = np.cumsum([0, *(len(kept) for _, kept in parts)])

    @property
    def rows(self) -> int:
        """How many vectors count."""
        return int(self._first[-1])

    @property
    def kinds(self) -> tuple[VectorSearch, ...]:
        """How the parts search, each way once, with the vectors of all of them that count."""
        found: Counter[VectorSearch] = Counter()
        for (part, _), count in zip(self._parts, np.diff(self._first).tolist(), strict=True):
            found[replace(part.search_kind, rows=0)] += count
        return tuple(replace(kind, rows=rows) for kind, rows in found.items())

    def search(self, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and cosines of the `k` nearest of `vector`, best first."""
        all_rows, all_scores = [], []
        for (part, kept), first in zip(self._parts, self._first, strict=False):
            rows, scores = part.search(vector, k, kept)
            all_rows.append((rows if kept is None else np.searchsorted(kept, rows)) + first)
            all_scores.append(scores)
        joined, cosines = np.concatenate(all_rows), np.concatenate(all_scores)
        best = np.argsort(-cosines, kind="stable")[:k]
        return joined[best], cosines[best]
