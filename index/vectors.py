"""Nearest vectors by inner product, exactly, in FAISS. The only file that imports faiss.

Knows nothing of what the rows stand for. FAISS notices no bit rot and may crash when one thread
adds while another searches; so an index here is never changed after it is built, and is read only
from files whose digest was checked.
"""

from pathlib import Path

import faiss
import numpy as np

from index.errors import SnapshotDamagedError

__all__ = ["VectorIndex"]

_FILE = "vectors.faiss"


class VectorIndex:
    """A flat FAISS index of unit vectors: inner product is cosine."""

    def __init__(self, engine: "faiss.Index") -> None:
        self._engine = engine

    @classmethod
    def build(cls, vectors: np.ndarray) -> "VectorIndex":
        """Index float32 unit vectors, shape `(n_rows, dim)`."""
        engine = faiss.IndexFlatIP(vectors.shape[1])
        engine.add(np.ascontiguousarray(vectors, dtype=np.float32))
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

    def search(self, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and cosines of the `k` nearest of `vector`, best first: shapes `(min(k, n_rows),)`."""
        scores, rows = self._engine.search(vector.reshape(1, -1).astype(np.float32), min(k, self.rows))
        return rows[0], scores[0]
