"""Turns the trained encoder into the files that fiche ships: int8, with a vocabulary for Dutch and English.

Word embeddings were never trained, so they stay the 4-bit blocks of the model they came from, for the
pieces that are kept; the layers, adapters included, become int8 (one scale for each output channel).
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evals.reader.answering import Adapted
from evals.reader.graphs import write_graphs
from index.onnx_reader import FILES
from index.weights import Weights, read_weights

__all__ = ["choose_vocabulary", "digest", "export"]

NAME = "fiche-reader"
_SHORT = 3
"""Latin pieces of up to so many letters are all kept: they are what a rare or misspelt word falls apart into."""
_WORDS = 100_000
"""Words of each language, by frequency, whose pieces are kept."""


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


def export(
    adapted: Adapted, source: Path, tokenizer: Any, folder: Path, about: dict[str, Any], sample: Sequence[str]
) -> None:
    """Write the reader's files into `folder`.

    Args:
        adapted: the trained network.
        source: the 4-bit weight file that its word embeddings came from.
        tokenizer: the whole tokenizer of that model.
        folder: where to; what lies there is replaced.
        about: what else `reader.json` shall say.
        sample: texts that show which of the network's inputs become large.
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
    write_graphs(adapted, folder, [torch.tensor([told.ids]) for told in tokenizer.encode_batch(list(sample))])
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
