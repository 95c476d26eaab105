"""Runs a language model from a GGUF file in this process; the only file that imports xllamacpp.

Knows nothing of questions. llama.cpp serves the model on a free port of this machine, behind a key that
only this process knows, and from there it is a model at an endpoint like any other: stopping to read
stops it from writing. Comes with `pip install 'fiche[gguf]'`.
"""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from index.errors import InputError
from rag.llm import LlmError, Model

__all__ = ["open_gguf"]

_CONTEXT = 4096
"""Tokens that the model reads and writes at once: the prompt, five passages and an answer take half."""
_MAGIC = b"GGUF"


@cache
def open_gguf(path: Path) -> Model:
    """The model of a file; a file is loaded once in a process.

    Raises:
        InputError: there is no such file, or it is no GGUF.
        LlmError: llama.cpp is not installed, or cannot load it.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise InputError(f"no model at {path} ({error.strerror}): name a GGUF file, as in gguf:FILE") from error
    if magic != _MAGIC:
        raise InputError(f"{path} is no GGUF file: name one, as in gguf:FILE")
    try:
        import xllamacpp
    except ImportError as error:
        raise LlmError("gguf:FILE needs llama.cpp: pip install 'fiche[gguf]'") from error
    key = secrets.token_urlsafe(24)
    try:
        server = xllamacpp.Server(_parameters(xllamacpp, path, key))
    except Exception as error:  # the library raises kinds of its own
        raise LlmError(f"{path} cannot be loaded by llama.cpp ({type(error).__name__}): try another file") from error
    _serving.append(server)
    return Model.at(f"{server.listening_address}/v1", path.stem, key)


_serving: list[Any] = []
"""Kept for as long as the process lives: a server that is let go stops."""


def _parameters(library: Any, path: Path, key: str) -> Any:
    found = library.CommonParams()
    found.model.path = str(path)
    found.port, found.api_keys = 0, [key]
    found.n_ctx, found.n_parallel = _CONTEXT, 1
    found.cpuparams.n_threads = found.cpuparams_batch.n_threads = max(1, os.cpu_count() or 1)
    found.warmup = False
    found.verbosity = 0
    return found
