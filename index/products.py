"""Multiplies rows of bytes with a few vectors, three times as fast as NumPy multiplies them as floats.

Knows nothing of what they mean. Processors have instructions for products of bytes, and onnxruntime uses
them: its graph, `data/products.onnx`, is one multiplication (`evals/reader/graphs.py` writes it).
"""

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from index.onnx_reader import open_session

__all__ = ["SPAN", "ZERO", "products"]

ZERO, SPAN = 64, 63
"""The byte that stands for nought, and how far from it others may be: with all of a byte's range, processors
without VNNI would add two products in sixteen bits that do not hold them, and say nothing."""
_MOST = 127


def products(rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The product of each row with each vector, float32 `(n, m)`, where a byte counts as what it is above `ZERO`.

    Args:
        rows: uint8, shape `(n, dim)`, each within `SPAN` of `ZERO`.
        vectors: float32, shape `(m, dim)`; rounded to 255 steps each, which moves a cosine by some 0.0005.
    """
    steps = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / _MOST
    rounded = np.rint(vectors / steps[:, None]).astype(np.int8)
    (found,) = _session().run(None, {"rows": rows, "vectors": np.ascontiguousarray(rounded.T)})
    found *= steps
    return np.asarray(found)


@cache
def _session() -> Any:
    graph = (files("index") / "data" / "products.onnx").read_bytes()
    return open_session(graph, threads=1)  # whoever asks has a thread for each core
