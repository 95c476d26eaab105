"""Reads many texts at once on the machines of a Ray cluster. The only file that imports ray.

Knows nothing of documents. Each machine has fiche installed, of this version; a reader is an actor, one
for each of the cluster's processors. `local` starts a cluster of this machine alone.
"""

import logging
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import ray as _ray
from ray.exceptions import RayError
from ray.util import ActorPool

from index.encoder import Encoded, Encoder, load_encoder
from index.errors import FicheError
from index.settings import Settings, load_settings
from index.workers import TOGETHER
from index.writing import Progress

__all__ = ["RayWorkers"]


ray: Any = _ray
"""Its decorators change what a class is, in ways that its types do not tell."""


class _Reader:
    """A reader on one of the cluster's machines; unpacks a model that is not shipped below that machine's own home."""

    def __init__(self, model: str) -> None:
        self._encoder = load_encoder(load_settings(model=model))

    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        return self._encoder.encode(texts, query=False)


def _knock(address: str) -> None:
    """Find out at once that nobody is there, which Ray itself tries for minutes.

    Raises:
        OSError, ValueError: nobody is, or it is no address.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), timeout=10).close()


class RayWorkers:
    """Makes vectors on a cluster for as long as a `with` lasts.

    Raises:
        FicheError: no cluster answers, or a machine of it has another model.
    """

    def __init__(self, settings: Settings, encoder: Encoder, address: str) -> None:
        given: dict[str, Any] = {"include_dashboard": False} if address == "local" else {"address": address}
        try:
            if address != "local":
                _knock(address)
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **given)
            count = max(1, int(ray.cluster_resources().get("CPU", 1)))
            kind = ray.remote(num_cpus=1)(_Reader)
            self._readers = [kind.remote(settings.model) for _ in range(count)]
            found = set(ray.get([reader.fingerprint.remote() for reader in self._readers]))
        except (RayError, OSError, RuntimeError, ValueError) as error:
            ray.shutdown()
            reason = str(error).strip().splitlines()[-1][:160] if str(error).strip() else type(error).__name__
            raise FicheError(f"Ray at {address} fails ({reason}): check --ray, and that fiche is there") from error
        if found != {encoder.fingerprint}:
            ray.shutdown()
            raise FicheError(f"Ray at {address} has other models than this machine: install the same fiche there")

    def __call__(self, texts: Sequence[str], progress: Progress | None) -> dict[str, Encoded]:
        """The vectors of each text.

        Raises:
            FicheError: a machine of the cluster was lost.
        """
        batches = [list(texts[i : i + TOGETHER]) for i in range(0, len(texts), TOGETHER)]
        done: dict[str, Encoded] = {}
        try:
            found = ActorPool(self._readers).map(lambda reader, batch: reader.encode.remote(batch), batches)
            for batch, own in zip(batches, found, strict=True):
                done.update(zip(batch, own, strict=True))
                if progress:
                    progress(len(done), len(texts))
        except RayError as error:
            raise FicheError("a machine of the Ray cluster was lost: add again, what is done is kept") from error
        return done

    def __enter__(self) -> "RayWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ray.shutdown()
