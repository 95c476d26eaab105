"""Measures a reader on the held-out documents: whether the right sentence is first, and what stays unanswered.

Sentences of one document, or of some fifty neighbouring passages, make one pool, as large as a fiche.
"""

import random
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from evals.reader.answering import Adapted, beside, encode
from evals.reader.corpus import Corpus
from evals.reader.documents import pools
from evals.reader.retrieval import Tower
from rag.matching import max_similarities

__all__ = ["measure_answering", "measure_retrieval"]

_LENGTH = 0.03
"""What a text loses for each e-fold of tokens, here where sentence and passage count alike."""


def measure_retrieval(tower: Tower, corpus: Corpus) -> dict[str, float]:
    """Share of right sentences first and in five, and the area under the curve of the best score, by language."""
    found: dict[str, list[float]] = {}
    truth: list[int] = []
    best: dict[str, list[float]] = {"nl": [], "en": []}
    for pool, pairs in pools(corpus):
        sentences = [(row, j) for row in pool for j in range(len(corpus.texts[row].spans))]
        own = tower.encode([corpus.texts[row].sentence(j) for row, j in sentences], "passages")
        around = tower.encode([corpus.texts[row].whole() for row in pool], "passages")
        where = np.array([pool.index(row) for row, _ in sentences])
        truth += [pair.sentence is not None for pair in pairs]
        for lang in ("nl", "en"):
            asked = tower.encode([pair.questions[lang] for pair in pairs], lang)
            for pair, question in zip(pairs, asked, strict=True):
                scores = _scores(question, own) + _scores(question, around)[where]
                best[lang].append(float(scores.max()))
                if pair.sentence is not None:
                    order = [sentences[k] for k in np.argsort(-scores)[:5]]
                    right = (pair.text, pair.sentence)
                    found.setdefault(f"{lang}@1", []).append(order[0] == right)
                    found.setdefault(f"{lang}@5", []).append(right in order)
    out = {name: float(np.mean(values)) for name, values in found.items()}
    return out | {f"{lang}_auc": float(roc_auc_score(truth, best[lang])) for lang in best}


def _scores(question: np.ndarray, texts: list[np.ndarray]) -> np.ndarray:
    lengths = np.array([len(t) for t in texts])
    starts = np.cumsum([0, *lengths[:-1]])
    found = max_similarities(question, np.concatenate(texts), starts).mean(axis=0)
    return np.asarray(found - _LENGTH * np.log(lengths), dtype=np.float32)


@torch.no_grad()
def measure_answering(adapted: Adapted, tokenizer: Any, corpus: Corpus, seed: int = 7) -> dict[str, float]:
    """On each question beside its own passage: area under the curve of "it answers", and the right sentence's share."""
    adapted.eval()
    out: dict[str, float] = {}
    for lang in ("nl", "en"):
        draw = random.Random(seed)
        asked = [
            beside(corpus, pair, pair.text, pair.sentence, draw, langs=(lang,), typos=False) for pair in corpus.pairs
        ]
        evidence, right = [], []
        for i in range(0, len(asked), 16):
            batch = asked[i : i + 16]
            ids, mask, owner, _ = encode(batch, tokenizer)
            scores = adapted.scores(adapted(ids, mask), owner, max(len(e.sentences) for e in batch))
            evidence += (scores[:, 1:].amax(dim=1) - scores[:, 0]).tolist()
            right += [
                int(s[1:].argmax()) == e.answer for s, e in zip(scores, batch, strict=True) if e.answer is not None
            ]
        truth = [example.answer is not None for example in asked]
        refusing = np.quantile([e for e, t in zip(evidence, truth, strict=True) if t], 0.05)
        out[f"{lang}_answer_auc"] = float(roc_auc_score(truth, evidence))
        out[f"{lang}_sentence"] = float(np.mean(right))
        out[f"{lang}_refused"] = float(np.mean([e < refusing for e, t in zip(evidence, truth, strict=True) if not t]))
    return out
