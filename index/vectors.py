"""Nearest vectors by inner product, in FAISS. The only file that imports faiss.

Knows nothing of what the rows stand for. FAISS notices no bit rot and may crash when one thread
adds while another searches; so an index here is never changed after it is built, and is read only
from files whose digest was checked. Up to `EXACT` vectors a part keeps them as they are; beyond, in cells
(an inverted file, vectors of one byte a value). For one question some `COMPARED` vectors are compared: all,
where there are no more; else those in as many of the nearest cells: `python -m evals.scale` says what that
costs and saves.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np

from index.errors import SnapshotDamagedError

__all__ = ["COMPARED", "EXACT", "VectorIndex", "VectorSearch", "Vectors"]

_FILE = "vectors.faiss"
EXACT = 100_000
"""Up to so many vectors the search compares all of them."""
COMPARED = 200_000
"""Vectors that one question is compared with, about: a hundredth of a second on two cores."""
_CORES = min(4, os.cpu_count() or 1)
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
    """Cells of each part that are searched for one question; 0 where there are none."""

    @property
    def kind(self) -> Literal["exact", "approximate"]:
        """Whether it always finds the nearest."""
        return "approximate" if self.probes else "exact"


class VectorIndex:
    """A FAISS index of unit vectors: inner product is cosine."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._cells = isinstance(engine, faiss.IndexIVF)
        if self._cells:
            engine.parallel_mode = 1  # the cells of one question over the cores; by itself, only many questions are

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

    def search_kind(self, share: float = 1.0) -> VectorSearch:
        """How it searches where a share of its vectors, 0 to 1, is to be compared."""
        if not self._cells:
            return VectorSearch("FAISS", "Flat", self.rows)
        return VectorSearch("FAISS", f"IVF{self._engine.nlist},SQ8", self.rows, self._probes(share))

    def _probes(self, share: float) -> int:
        return int(max(1, round(min(1.0, share) * self._engine.nlist)))

    def vectors(self) -> np.ndarray:
        """All vectors, as they are kept: float32, shape `(n_rows, dim)`."""
        if self._cells:
            self._engine.make_direct_map()
        return np.asarray(self._engine.reconstruct_n(0, self.rows))

    def search(
        self, vector: np.ndarray, k: int, among: np.ndarray | None = None, share: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and cosines of the `k` nearest of `vector`, best first: shapes `(min(k, n_rows),)`.

        Args:
            vector: shape `(dim,)`.
            k: how many are wanted.
            among: bool, shape `(n_rows,)`: the only rows that may be found; all where it is `None`.
            share: how much of it is looked at, 0 to 1, where it has cells.
        """
        count = min(k, self.rows if among is None else int(among.sum()))
        if not count:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        bitmap: Any = faiss.IDSelectorBitmap  # its stub says what C++ takes
        given = {} if among is None else {"sel": bitmap(np.packbits(among, bitorder="little"))}
        kind = faiss.SearchParametersIVF if self._cells else faiss.SearchParameters
        chosen = {"nprobe": self._probes(share)} if self._cells else {}
        query = vector.reshape(1, -1).astype(np.float32)
        if self._cells:
            faiss.omp_set_num_threads(_CORES)  # whoever keeps BLAS to one thread keeps FAISS to one as well
        scores, rows = self._engine.search(query, count, params=kind(**given, **chosen))
        found = rows[0] >= 0  # the cells searched may hold fewer
        return rows[0][found], scores[0][found]


class Vectors:
    """Nearest vectors over several indexes, one's rows after another's; of each only the rows in `kept` count."""

    def __init__(self, parts: Sequence[tuple[VectorIndex, np.ndarray]]) -> None:
        self._parts = list(parts)
        self._first = np.cumsum([0, *(len(kept) for _, kept in parts)])
        self._share = COMPARED / max(COMPARED, self.rows)

    @property
    def rows(self) -> int:
        """How many vectors count."""
        return int(self._first[-1])

    @property
    def kinds(self) -> tuple[VectorSearch, ...]:
        """How the parts search, each way once, with the vectors of all of them that count."""
        found: Counter[VectorSearch] = Counter()
        for (part, _), count in zip(self._parts, np.diff(self._first).tolist(), strict=True):
            found[replace(part.search_kind(self._share), rows=0)] += count
        return tuple(replace(kind, rows=rows) for kind, rows in found.items())

    def search(self, vector: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and cosines of the `k` nearest of `vector`, best first.

        Args:
            vector: shape `(dim,)`.
            k: how many are wanted.
            among: bool, shape `(n_rows,)`: the only rows that may be found, and then all of them are looked at.
        """
        all_rows, all_scores = [], []
        for (part, kept), first in zip(self._parts, self._first, strict=False):
            own = None if among is None else among[first : first + len(kept)]
            if (own is not None and not own.any()) or not len(kept):
                continue
            mask = None
            if own is not None or len(kept) < part.rows:
                mask = np.zeros(part.rows, dtype=bool)
                mask[kept] = True if own is None else own
            rows, scores = part.search(vector, k, mask, self._share if among is None else 1.0)
            all_rows.append(np.searchsorted(kept, rows) + first)
            all_scores.append(scores)
        joined = np.concatenate([np.zeros(0, np.int64), *all_rows])
        cosines = np.concatenate([np.zeros(0, np.float32), *all_scores])
        best = np.argsort(-cosines, kind="stable")[:k]
        return joined[best], cosines[best]
