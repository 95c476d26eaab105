"""Turns the trained encoder into the files that fiche ships: int8, with a vocabulary for Dutch and English.

Word embeddings were never trained, so they stay the 4-bit blocks of the model they came from, for the
pieces that are kept; the layers, adapters included, become int8 (one scale for each output channel).
"""

import hashlib
import json
import shutil
import unicodedata
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from evals.reader.answering import Adapted
from index.onnx_reader import FILES
from index.products import ZERO
from index.weights import Weights, read_weights

__all__ = ["choose_vocabulary", "digest", "export", "write_products"]

NAME = "fiche-reader"
_SHORT = 3
"""Latin pieces of up to so many letters are all kept: they are what a rare or misspelt word falls apart into."""
_NARROW = 64
"""An adapter has fewer columns than this."""
_WORDS = 100_000
"""Words of each language, by frequency, whose pieces are kept."""


class _Attend(torch.autograd.Function):
    """Attention as the one operator that onnxruntime has for it, instead of the dozen that a trace leaves."""

    @staticmethod
    def forward(
        ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, zero: torch.Tensor, mask: torch.Tensor, heads: int
    ) -> torch.Tensor:
        n, tokens, width = q.shape
        q, k, v = (x.view(n, tokens, heads, width // heads).transpose(1, 2) for x in (q, k, v))
        own = mask[:, None, None, :].bool()
        found = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=own)
        return found.transpose(1, 2).reshape(n, tokens, width)

    @staticmethod
    def symbolic(g: Any, q: Any, k: Any, v: Any, zero: Any, mask: Any, heads: int) -> Any:
        return g.op("com.microsoft::MultiHeadAttention", q, k, v, zero, mask, num_heads_i=heads).setType(q.type())


class _Graph(nn.Module):
    """Word embeddings and a gate in, token states out: what `BertModel` computes."""

    def __init__(self, adapted: Adapted) -> None:
        super().__init__()
        self.adapted, self.heads = adapted, int(adapted.model.config.num_attention_heads)

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        self.adapted.gate.value = gate
        own, encoder = self.adapted.model.embeddings, self.adapted.model.encoder
        places = torch.narrow(own.position_embeddings.weight, 0, 0, inputs.shape[1])
        x = own.LayerNorm(inputs + places + own.token_type_embeddings.weight[0])
        zero = torch.zeros(3 * x.shape[-1])
        for layer in encoder.layer:
            at = layer.attention.self
            met = _Attend.apply(at.query(x), at.key(x), at.value(x), zero, mask, self.heads)  # type: ignore[no-untyped-call]
            x = layer.attention.output.LayerNorm(layer.attention.output.dense(met) + x)
            x = layer.output.LayerNorm(layer.output.dense(nn.functional.gelu(layer.intermediate.dense(x))) + x)
        states: torch.Tensor = x
        return states


def choose_vocabulary(pieces: Iterable[tuple[str, float]], tokenizer: Any) -> list[int]:
    """Ids of the pieces that Dutch and English text needs, the specials first and in their order.

    Kept is what any of the commonest words of the two languages is made of, in small letters or with a
    capital; and every piece that a rare word, a name or a number may fall apart into.
    """
    from wordfreq import top_n_list

    kept = set(range(4))
    for lang in ("nl", "en"):
        words = top_n_list(lang, _WORDS, wordlist="large")
        for form in (words, [w.capitalize() for w in words], [w.upper() for w in words[:5000]]):
            for i in range(0, len(form), 2000):
                for told in tokenizer.encode_batch(form[i : i + 2000], add_special_tokens=False):
                    kept.update(told.ids)
    for row, (piece, _) in enumerate(pieces):
        bare = piece.lstrip("▁")
        if len(bare) <= _SHORT and all(_is_european(c) for c in bare):
            kept.add(row)
    return sorted(kept)


def _is_european(char: str) -> bool:
    """Latin, or a Greek letter (a formula has some); of what is no letter, what is below the Asian blocks."""
    if char.isalpha():
        return unicodedata.name(char, "").startswith(("LATIN", "GREEK"))
    return ord(char) < 0x2E80


def export(adapted: Adapted, source: Path, tokenizer: Any, folder: Path, about: dict[str, Any]) -> None:
    """Write the reader's files into `folder`.

    Args:
        adapted: the trained network.
        source: the 4-bit weight file that its word embeddings came from.
        tokenizer: the whole tokenizer of that model.
        folder: where to; what lies there is replaced.
        about: what else `reader.json` shall say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = read_weights(source)
    kept = choose_vocabulary(weights.pieces, tokenizer)
    _write_embeddings(weights, kept, folder / "embeddings.q4")
    _write_tokenizer(tokenizer, weights, kept, folder / "tokenizer.json")
    heads = {"none": adapted.none, "sentence": adapted.sentence}
    stored: Any = {f"{name}_weight": head.weight[0].detach().numpy() for name, head in heads.items()}
    stored |= {f"{name}_bias": head.bias[0].detach().numpy() for name, head in heads.items()}
    np.savez(folder / "heads.npz", **stored)
    _write_graph(adapted, folder / "encoder.onnx")
    told = {"name": NAME, "dim": weights.hidden, "max_tokens": 512, "vocabulary": len(kept), **about}
    (folder / "reader.json").write_text(json.dumps({**told, "digest": digest(folder)}, indent=1) + "\n", "utf-8")


def digest(folder: Path) -> str:
    """What changes whenever the reader's vectors would: a digest of its files but `reader.json`."""
    found = hashlib.sha256()
    for name in FILES[:-1]:
        found.update((folder / name).read_bytes())
    return found.hexdigest()[:16]


def _write_embeddings(weights: Weights, kept: list[int], path: Path) -> None:
    weights.blocks("emb.word").reshape(weights.vocabulary, -1)[kept].tofile(path)


def _write_tokenizer(tokenizer: Any, weights: Weights, kept: list[int], path: Path) -> None:
    stored = json.loads(tokenizer.to_str())
    new = {old: row for row, old in enumerate(kept)}
    pieces = [weights.pieces[row] for row in kept if row < len(weights.pieces)]
    stored["model"]["vocab"] = [[piece, round(score, 4)] for piece, score in pieces]
    stored["model"]["unk_id"] = new[stored["model"]["unk_id"]]
    stored["truncation"] = {"direction": "Right", "max_length": 512, "strategy": "LongestFirst", "stride": 0}
    stored["padding"] = None
    path.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _write_graph(adapted: Adapted, path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    adapted.eval()
    width = adapted.sentence.in_features
    whole, ready = path.with_suffix(".fp32"), path.with_suffix(".ready")
    example = (torch.randn(2, 7, width), torch.ones(2, 7, dtype=torch.int32), torch.tensor(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(adapted), example, str(whole),
            input_names=["inputs", "mask", "gate"], output_names=["states"],
            dynamic_axes={name: {0: "n", 1: "tokens"} for name in ("inputs", "mask", "states")},
            opset_version=17, dynamo=False, custom_opsets={"com.microsoft": 1},
        )  # fmt: skip
    adapted.gate.value = 0.0
    quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
    wide = _second_feed_forward(ready, adapted.model.config.intermediate_size)
    quantize_dynamic(str(ready), str(path), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=wide)
    _store_as_int8(path, wide)
    for scrap in (whole, ready):
        scrap.unlink()
        shutil.rmtree(scrap.with_suffix(".data"), ignore_errors=True)


def _second_feed_forward(path: Path, width: int) -> list[str]:
    """The multiplications by the feed-forward layers' second matrices.

    A few of their inputs are far larger than the others, and rounding all to the same 256 steps made most
    of what int8 cost: a cosine of 0.97 with the exact (centred) vectors, against 0.99 without.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    matrices = [tensor for tensor in graph.initializer if len(tensor.dims) == 2]
    wide = {tensor.name for tensor in matrices if tensor.dims[0] == width and tensor.dims[1] > _NARROW}
    return [node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in wide]


def _store_as_int8(path: Path, nodes: list[str]) -> None:
    """Keep the weights of these multiplications as int8, and multiply in float32."""
    import onnx

    model = onnx.load(str(path))
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for place, node in [(i, n) for i, n in enumerate(model.graph.node) if n.name in nodes][::-1]:
        name = node.input[1]
        weights = onnx.numpy_helper.to_array(stored[name])
        scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
        whole = np.round(weights / scale).astype(np.int8)
        parts = {"int8": whole, "scale": scale, "zero": np.zeros(len(scale), np.int8)}
        model.graph.initializer.remove(stored[name])
        model.graph.initializer.extend(onnx.numpy_helper.from_array(v, f"{name}_{k}") for k, v in parts.items())
        back = onnx.helper.make_node("DequantizeLinear", [f"{name}_{part}" for part in parts], [name], axis=1)
        model.graph.node.insert(place, back)
    onnx.save(model, str(path))


def write_products(path: Path) -> None:
    """Write the graph of `index/products.py`: bytes times signed bytes, as float32."""
    import onnx

    make, kinds = onnx.helper, onnx.TensorProto
    zero = onnx.numpy_helper.from_array(np.array(ZERO, dtype=np.uint8), "zero")
    nodes = [
        make.make_node("MatMulInteger", ["rows", "vectors", "zero"], ["whole"]),
        make.make_node("Cast", ["whole"], ["found"], to=kinds.FLOAT),
    ]
    given = [
        make.make_tensor_value_info("rows", kinds.UINT8, ["n", "dim"]),
        make.make_tensor_value_info("vectors", kinds.INT8, ["dim", "m"]),
    ]
    made = [make.make_tensor_value_info("found", kinds.FLOAT, ["n", "m"])]
    model = make.make_model(
        make.make_graph(nodes, "products", given, made, [zero]), opset_imports=[make.make_opsetid("", 17)]
    )
    model.ir_version = 8  # what the oldest onnxruntime that fiche takes reads
    onnx.save(model, str(path))
