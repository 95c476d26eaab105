"""Reads many texts at once, in a process for each core.

Knows nothing of documents. The reader takes one text at a time on purpose (`onnx_reader.py`), so what
is gained is gained by more readers; each is the one that the settings name, and gives the vectors that
it would give alone.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType

from index.encoder import Encoded, Encoder, load_encoder
from index.errors import FicheError
from index.settings import Settings, load_settings
from index.snapshot import encode_all
from index.writing import Progress

__all__ = ["FEW", "TOGETHER", "Workers"]

FEW = 400
"""Texts that are read before other processes would have started."""
TOGETHER = 16
"""Texts that a worker is given at a time."""
_reader: list[Encoder] = []
"""A worker's own."""


def _start(model: str, home: str) -> None:
    _reader[:] = [load_encoder(load_settings(model=model, home=Path(home)))]


def _read(texts: Sequence[str]) -> list[Encoded]:
    return _reader[0].encode(texts, query=False)


class Workers:
    """Makes vectors in several processes, which start when there is enough to do and end with the block."""

    def __init__(self, settings: Settings, encoder: Encoder, count: int | None = None) -> None:
        self._settings, self._encoder = settings, encoder
        self._count = count or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, texts: Sequence[str], progress: Progress | None) -> dict[str, Encoded]:
        """The vectors of each text.

        Raises:
            FicheError: a worker was killed.
        """
        if self._count < 2 or (self._pool is None and len(texts) < FEW):
            return encode_all(self._encoder, texts, progress)
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy locks of the model's threads
            given = (self._settings.model, str(self._settings.home))
            self._pool = ProcessPoolExecutor(self._count, context, initializer=_start, initargs=given)
        batches = [texts[i : i + TOGETHER] for i in range(0, len(texts), TOGETHER)]
        done: dict[str, Encoded] = {}
        try:
            for batch, found in zip(batches, self._pool.map(_read, batches), strict=True):
                done.update(zip(batch, found, strict=True))
                if progress:
                    progress(len(done), len(texts))
        except BrokenProcessPool as error:
            raise FicheError("a process that reads texts was killed: close other programs, and add again") from error
        return done

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
