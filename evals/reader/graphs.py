"""Writes the networks that onnxruntime runs for fiche: the reader's two, and one that multiplies bytes.

Knows nothing of the files beside them. The layers become int8 (one scale for each output channel). They are
kept once, in `layers.bin`, for two graphs: `encoder.onnx` turns a text into token states, `cross_encoder.onnx`
reads a question beside a passage, with the adapters at work. The first leaves them out instead of multiplying
them by nought, which took a quarter of its time.
"""

import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import nn

from evals.reader.answering import Adapted
from index.products import ZERO

__all__ = ["split", "write_graphs", "write_products"]

_GATE = "gate"
_LAYERS = "layers.bin"
_FEW = 8
"""Inputs of each layer that are not rounded to int8."""
_LARGE = 1024
"""Bytes from which on a tensor is kept outside its graph."""
_PAGE = 4096
"""Where a tensor begins in the file is a multiple of this, so that it can be mapped."""


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


def write_graphs(adapted: Adapted, folder: Path, texts: Sequence[torch.Tensor]) -> None:
    """Write the two graphs of a trained network, and their layers, into `folder`.

    Args:
        adapted: the network.
        folder: where to.
        texts: ids of some texts, each of shape `(1, n_tokens)`, that show which inputs become large.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    adapted.eval()
    width = adapted.sentence.in_features
    whole, ready, path = (folder / f"gated.{name}" for name in ("fp32", "ready", "int8"))
    example = (torch.randn(2, 7, width), torch.ones(2, 7, dtype=torch.int32), torch.tensor(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(adapted).eval(), example, str(whole),
            input_names=["inputs", "mask", _GATE], output_names=["states"],
            dynamic_axes={name: {0: "n", 1: "tokens"} for name in ("inputs", "mask", "states")},
            opset_version=17, dynamo=False, custom_opsets={"com.microsoft": 1},
        )  # fmt: skip
    adapted.gate.value = 0.0
    quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
    apart = _spare_few(ready, _largest(adapted, texts), adapted.model.config.intermediate_size)
    quantize_dynamic(str(ready), str(path), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=apart)
    split(onnx.load(str(path)), folder)
    for scrap in (whole, ready, path):
        scrap.unlink()
        shutil.rmtree(scrap.with_suffix(".data"), ignore_errors=True)


def split(gated: Any, folder: Path) -> None:
    """Write the graph with its gate closed, the graph with its gate open, and the layers that both have.

    Args:
        gated: an ONNX model with an input `gate`, which the adapters' outcomes are multiplied by.
        folder: where to.
    """
    graphs = {"encoder": _closed(gated), "cross_encoder": _opened(gated)}
    places: dict[str, tuple[int, int]] = {}
    with (folder / _LAYERS).open("wb") as file:
        for name, model in graphs.items():
            for tensor in model.graph.initializer:
                _move_out(tensor, places, file)
            (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def _move_out(tensor: Any, places: dict[str, tuple[int, int]], file: BinaryIO) -> None:
    """Put what a large tensor holds into the file, unless it is there, and leave word where."""
    import onnx
    from onnx.external_data_helper import set_external_data

    content = onnx.numpy_helper.to_array(tensor).tobytes()
    if len(content) < _LARGE:
        return
    if tensor.name not in places:
        file.write(bytes(-file.tell() % _PAGE))
        places[tensor.name] = (file.tell(), len(content))
        file.write(content)
    tensor.raw_data = content
    set_external_data(tensor, _LAYERS, *places[tensor.name])
    tensor.ClearField("raw_data")


def _opened(gated: Any) -> Any:
    """The model as it is with the gate at one: nothing is multiplied by it."""
    model = _copied(gated)
    passed = {
        node.output[0]: next(name for name in node.input if name != _GATE)
        for node in model.graph.node
        if _GATE in node.input
    }
    return _without(model, passed)


def _closed(gated: Any) -> Any:
    """The model as it is with the gate at nought: nothing is added that was multiplied by it."""
    model = _copied(gated)
    shut: set[str] = {_GATE}
    passed = {}
    for node in model.graph.node:
        own = [name for name in node.input if name in shut]
        if own and node.op_type == "Add":
            passed[node.output[0]] = next(name for name in node.input if name not in shut)
        elif own:
            shut.update(node.output)
    return _without(model, passed)


def _copied(model: Any) -> Any:
    copy = type(model)()
    copy.CopyFrom(model)
    return copy


def _without(model: Any, passed: dict[str, str]) -> Any:
    """The model with each value of `passed` taken for the one that it names, and with what then has no use left out."""
    graph, used, kept = model.graph, {out.name for out in model.graph.output}, []
    for node in reversed(graph.node):
        node.input[:] = [passed.get(name, name) for name in node.input]
        if not used.isdisjoint(node.output) and node.output[0] not in passed:
            used.update(node.input)
            kept.append(_copied(node))
    weights = [_copied(tensor) for tensor in graph.initializer if tensor.name in used]
    given = [_copied(value) for value in graph.input if value.name != _GATE]
    for field, left in (("node", kept[::-1]), ("initializer", weights), ("input", given)):
        graph.ClearField(field)
        getattr(graph, field).extend(left)
    return model


def _spare_few(path: Path, columns: Sequence[np.ndarray], width: int) -> list[str]:
    """Take a few inputs out of the feed-forward layers' second multiplications, and multiply them by themselves.

    They are far larger than the others, now and then by twenty times. Int8 rounds all inputs to the same 256
    steps, and rounding to such wide ones made most of what int8 cost.

    Args:
        path: the graph, which is changed.
        columns: of each layer the inputs that are taken out.
        width: how many inputs such a layer has.

    Returns:
        The names of the multiplications that stay float32.
    """
    import onnx

    model, apart = onnx.load(str(path)), []
    graph, reached = model.graph, list[str]()
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [_copied(node) for node in graph.node]
    graph.ClearField("node")
    for node in nodes:
        weights = stored.get(node.input[1]) if node.op_type == "MatMul" else None
        if weights is None or len(weights) != width:
            graph.node.append(node)
            continue
        whole, made = node.input[0], node.output[0]
        if whole not in reached:
            reached.append(whole)
            graph.node.extend(_parted(graph, whole, columns[len(reached) - 1], width))
        own = onnx.numpy_helper.from_array(weights[columns[reached.index(whole)]], f"{made}_weights")
        graph.initializer.append(own)
        node.input[0], node.output[0] = f"{whole}_rest", f"{made}_rest"
        apart.append(f"{node.name}_few")
        few = onnx.helper.make_node("MatMul", [f"{whole}_few", own.name], [f"{made}_few"], apart[-1])
        both = onnx.helper.make_node("Add", [f"{made}_rest", f"{made}_few"], [made], f"{node.name}_sum")
        graph.node.extend([node, few, both])
    onnx.save(model, str(path))
    return apart


def _parted(graph: Any, whole: str, columns: np.ndarray, width: int) -> list[Any]:
    """Nodes that make `_few` of the values `whole`, its `columns` alone, and `_rest`, with nought in their place."""
    import onnx

    mask = np.ones(width, np.float32)
    mask[columns] = 0
    for value, name in ((columns, "columns"), (mask, "mask")):
        graph.initializer.append(onnx.numpy_helper.from_array(value, f"{whole}_{name}"))
    return [
        onnx.helper.make_node("Gather", [whole, f"{whole}_columns"], [f"{whole}_few"], f"{whole}_few", axis=-1),
        onnx.helper.make_node("Mul", [whole, f"{whole}_mask"], [f"{whole}_rest"], f"{whole}_rest"),
    ]


def _largest(adapted: Adapted, texts: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """Of each layer the `_FEW` inputs of its second feed-forward multiplication that become largest, int64.

    Args:
        adapted: the network, which is run with its gate shut and open.
        texts: ids of some texts, each of shape `(1, n_tokens)`.
    """
    layers = adapted.model.encoder.layer
    most = [torch.zeros(adapted.model.config.intermediate_size) for _ in layers]

    def keep(number: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _given: Any, made: torch.Tensor) -> None:
            most[number] = torch.maximum(most[number], made.abs().amax(dim=(0, 1)))

        return hook

    hooks = [layer.intermediate.register_forward_hook(keep(number)) for number, layer in enumerate(layers)]
    with torch.no_grad():
        for adapted.gate.value in (0.0, 1.0):
            for ids in texts:
                adapted.model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    adapted.gate.value = 0.0
    return [np.sort(own.topk(_FEW).indices.numpy()) for own in most]


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
