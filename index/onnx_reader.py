"""Runs the reader that fiche ships: an int8 encoder in ONNX, asked without torch.

Knows nothing of documents or search; the only file that imports onnxruntime. The same layers work
in two ways: they turn a text into token vectors, and, with adapters, they read a question beside a
passage and say which sentence answers, if any. Word embeddings stay outside the graphs as the 4-bit
blocks that they came in (Q4_0), mapped into memory: a question needs some twenty rows of them.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from index.encoder import Encoded, Part
from index.errors import ModelError
from index.weights import Q4_BLOCK, Q4_BYTES, dequantize_q4

__all__ = ["FILES", "OnnxReader", "open_session"]

FILES = (
    "encoder.onnx",
    "cross_encoder.onnx",
    "layers.bin",
    "embeddings.q4",
    "tokenizer.json",
    "heads.npz",
    "reader.json",
)
_PROMPTS = {True: "query: ", False: "passage: "}
_MANY = 8
"""Texts from which on each core takes one of its own."""
_CORES = min(8, os.cpu_count() or 1)
_BESIDE = 2
"""Parts that are read beside a question at the same time, each on its share of the cores."""
_LEFT_OUT = ["SkipLayerNormFusion"]
"""Fused, a sum and its normalization take several times as long as one after the other."""


class OnnxReader:
    """The shipped reader, loaded from its folder.

    Raises:
        ModelError: a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            about = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
            self.name, self.fingerprint = str(about["name"]), f"reader:{about['digest']}"
            self.dim, self._max_tokens = int(about["dim"]), int(about["max_tokens"])
            self._table = np.memmap(folder / "embeddings.q4", np.uint8, mode="r").reshape(int(about["vocabulary"]), -1)
            if self._table.shape[1] != self.dim // Q4_BLOCK * Q4_BYTES:
                raise ValueError("embeddings.q4 has rows of another width")
            with (folder / "heads.npz").open("rb") as file, np.load(file, allow_pickle=False) as heads:
                self._heads = {name: heads[name] for name in heads.files}
            self._path, self._tokenizer = folder / "encoder.onnx", _tokenizer(folder / "tokenizer.json")
            self._encoder = open_session(self._path)
            self._cross_encoder = open_session(folder / "cross_encoder.onnx", threads=max(1, _CORES // _BESIDE))
        except Exception as error:  # onnxruntime and tokenizers raise kinds of their own
            reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
            raise ModelError(f"the reader in {folder} cannot be loaded ({reason}): install fiche again") from error

    def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        """Vectors of each text; what is longer than the reader can take is read up to its limit."""
        prompt = _PROMPTS[query]
        if len(texts) < _MANY or _CORES < 2:
            return [self._encode(text, prompt, self._encoder) for text in texts]
        single = self._single
        return list(self._encoding.map(lambda text: self._encode(text, prompt, single), texts))

    @cached_property
    def _single(self) -> Any:
        """The same network for texts by the dozen: a core for each text takes a fifth less time than all for one."""
        return open_session(self._path, threads=1)

    @cached_property
    def _encoding(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_CORES)

    @cached_property
    def _judging(self) -> ThreadPoolExecutor:
        """Threads of its own: a question does not wait behind the texts of a document that is being added."""
        return ThreadPoolExecutor(_CORES)

    def _encode(self, text: str, prompt: str, session: Any) -> Encoded:
        told = self._tokenizer.encode(prompt + text)
        states = self._states(told.ids, session)
        offsets = np.asarray(told.offsets, dtype=np.int32)
        kept = (offsets[:, 1] > len(prompt)) & (offsets[:, 1] > offsets[:, 0])
        return Encoded(
            pooled=_unit(states.mean(axis=0)),
            tokens=_unit(states[kept]),
            offsets=np.maximum(offsets[kept] - len(prompt), 0),
        )

    def judge(self, question: str, parts: Sequence[Part]) -> list[np.ndarray]:
        """Of each part the logits that none of its sentences answers, then that each of them does.

        Returns:
            float32, shape `(1 + n_sentences,)` each; a sentence past the reader's limit has -inf.
        """
        if len(parts) == 1:
            return [self._judge(question, parts[0])]
        return list(self._judging.map(lambda part: self._judge(question, part), parts))

    def _judge(self, question: str, part: Part) -> np.ndarray:
        head = f"passage: {part.title}: " if part.title else "passage: "
        told = self._tokenizer.encode(_PROMPTS[True] + question, head + " ".join(part.sentences))
        return self._choice(self._states(told.ids, self._cross_encoder), told, len(head), part.sentences)

    def _choice(self, states: np.ndarray, told: Any, start: int, sentences: Sequence[str]) -> np.ndarray:
        offsets, second = np.asarray(told.offsets), np.array([s == 1 for s in told.sequence_ids])
        scores = [float(states[0] @ self._heads["none_weight"] + self._heads["none_bias"])]
        for sentence in sentences:
            end = start + len(sentence)
            own = second & (offsets[:, 1] > start) & (offsets[:, 0] < end) & (offsets[:, 1] > offsets[:, 0])
            pooled = states[own].mean(axis=0) if own.any() else None
            met = pooled is not None
            scores.append(
                float(pooled @ self._heads["sentence_weight"] + self._heads["sentence_bias"]) if met else -np.inf
            )
            start = end + 1
        return np.array(scores, dtype=np.float32)

    def _states(self, ids: Sequence[int], session: Any) -> np.ndarray:
        """Token states `(n_tokens, dim)`.

        One text at a time: int8 layers scale their input by what else is in the batch, so that a text
        would have other vectors in other company; and on two cores batches save next to nothing.
        """
        inputs = dequantize_q4(np.ascontiguousarray(self._table[list(ids)]), len(ids), self.dim)
        mask = np.ones((1, len(ids)), dtype=np.int32)
        (states,) = session.run(None, {"inputs": inputs[None], "mask": mask})
        return np.asarray(states[0])


def open_session(graph: Path | bytes, threads: int = 0) -> Any:
    """A session of onnxruntime with a graph, on so many threads; 0: as many as there are cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait by spinning answer sooner, but past the run they take the cores from numpy.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=_LEFT_OUT
    )


def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def _unit(vectors: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norm, 1e-12), dtype=np.float32)
