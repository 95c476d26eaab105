"""Teaches the encoder how a question stands to the sentence that answers it.

Late interaction (ColBERT; Khattab & Zaharia 2020): the score of a text is MaxSim over centred token
vectors, as `rag.retriever` computes it. The loss is the cross-entropy of the right text among those
of the batch, among other sentences of its passage, and among the sentences that the untrained
encoder itself ranked high and wrongly; beside it a logistic loss on the best score tells questions
that the passage answers from those that it does not. Four batches in five are sentences, the others
whole passages. The embedding table stays as it is.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from evals.reader.corpus import Corpus, Pair, vary

__all__ = ["Tower", "TrainSettings", "average", "descend", "mine", "train_retrieval"]

_PROMPTS = {True: "query: ", False: "passage: "}
_LANGUAGES = ("nl", "en")
_GROUP = 16


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What a run of the recipe can be told."""

    epochs: float = 1.0
    pairs: int = 12
    """Question pairs that have an answer, in a batch."""
    unanswerable: int = 4
    """Question pairs that have none, in a batch."""
    mined: int = 1
    """Negatives from the encoder's own mistakes, for each pair."""
    rate: float = 4e-5
    warmup: float = 0.1
    seed: int = 20261124
    passages: float = 0.2
    """Share of the batches whose texts are whole passages."""
    answer_weight: float = 0.3


class Tower:
    """The encoder with its tokenizer, for training: texts to centred token vectors."""

    def __init__(self, model: Any, tokenizer: Any, max_tokens: int = 112) -> None:
        self.model, self.tokenizer, self.max_tokens = model, tokenizer, max_tokens
        self.means: dict[str, torch.Tensor] = {}

    def states(self, texts: Sequence[str], *, query: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Token states `(n, tokens, dim)` and which of them are the texts' own `(n, tokens)`.

        They are read in groups of like length: one long text would pad all the others.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        groups = [order[i : i + _GROUP] for i in range(0, len(order), _GROUP)]
        parts = [self._states([texts[i] for i in group], query=query) for group in groups]
        longest = max(own.shape[1] for _, own in parts)
        states = torch.cat([nn.functional.pad(s, (0, 0, 0, longest - s.shape[1])) for s, _ in parts])
        own = torch.cat([nn.functional.pad(o, (0, longest - o.shape[1])) for _, o in parts])
        back = torch.tensor(order).argsort()
        return states[back], own[back]

    def _states(self, texts: Sequence[str], *, query: bool) -> tuple[torch.Tensor, torch.Tensor]:
        prompt = _PROMPTS[query]
        told = self.tokenizer(
            [prompt + text for text in texts],
            padding=True, truncation=True, max_length=self.max_tokens,
            return_tensors="pt", return_offsets_mapping=True,
        )  # fmt: skip
        offsets = told.pop("offset_mapping")
        own = (offsets[..., 1] > len(prompt)) & (offsets[..., 1] > offsets[..., 0])
        out = self.model(input_ids=told["input_ids"], attention_mask=told["attention_mask"])
        return out.last_hidden_state, own

    def vectors(self, texts: Sequence[str], kind: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Centred unit vectors; `kind` is `passages`, or the language of questions."""
        states, own = self.states(texts, query=kind != "passages")
        return nn.functional.normalize(nn.functional.normalize(states, dim=-1) - self.means[kind], dim=-1), own

    @torch.no_grad()
    def centre(self, samples: Mapping[str, Sequence[str]]) -> None:
        """Set the means that `vectors` takes away to those of the samples."""
        for kind, texts in samples.items():
            parts = [self.states(texts[i : i + 16], query=kind != "passages") for i in range(0, len(texts), 16)]
            tokens = [nn.functional.normalize(states[own], dim=-1) for states, own in parts]
            self.means[kind] = torch.cat(tokens).mean(dim=0)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], kind: str) -> list[np.ndarray]:
        """Centred token vectors of each text, in order."""
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out: list[np.ndarray] = [np.zeros(0)] * len(texts)
        for i in range(0, len(order), 8):
            rows = order[i : i + 8]
            vectors, own = self.vectors([texts[row] for row in rows], kind)
            for row, v, o in zip(rows, vectors, own, strict=True):
                out[row] = v[o].numpy()
        return out


def max_sim(questions: tuple[torch.Tensor, torch.Tensor], texts: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """MaxSim of every question with every text, shape `(n_questions, n_texts)`."""
    (q, q_own), (t, t_own) = questions, texts
    similarity = torch.einsum("qid,tjd->qtij", q, t).masked_fill(~t_own[None, :, None, :], -2.0)
    best = similarity.amax(dim=-1) * q_own[:, None, :]
    return best.sum(dim=-1) / q_own.sum(dim=-1).clamp(min=1)[:, None]


def mine(tower: Tower, corpus: Corpus, depth: int = 16) -> dict[str, list[tuple[int, int]]]:
    """For each pair the wrong sentences of its source that the encoder ranks highest.

    The highest of all is left out where the source has an answer: it may be a second answer.
    """
    sentences = [(i, j) for i, text in enumerate(corpus.texts) for j in range(len(text.spans))]
    vectors = tower.encode([corpus.texts[i].sentence(j) for i, j in sentences], "passages")
    by_source: dict[str, list[int]] = {}
    for row, (i, _) in enumerate(sentences):
        by_source.setdefault(corpus.texts[i].source, []).append(row)
    stacked = {s: np.concatenate([vectors[r] for r in rows]) for s, rows in by_source.items()}
    starts = {s: np.cumsum([0, *(len(vectors[r]) for r in rows[:-1])]) for s, rows in by_source.items()}
    asked = tower.encode([p.questions["nl"] for p in corpus.pairs], "nl")
    found = {}
    for pair, question in zip(corpus.pairs, asked, strict=True):
        source = corpus.texts[pair.text].source
        scores = np.maximum.reduceat(question @ stacked[source].T, starts[source], axis=1).mean(axis=0)
        order = [sentences[by_source[source][k]] for k in np.argsort(-scores)[: depth + 8]]
        skipped = int(pair.sentence is not None)
        found[pair.id] = [s for s in order if s != (pair.text, pair.sentence)][skipped : skipped + depth]
    return found


def train_retrieval(
    tower: Tower,
    corpus: Corpus,
    mined: dict[str, list[tuple[int, int]]],
    settings: TrainSettings,
    say: Callable[[dict[str, float]], None],
) -> None:
    """Train the tower's model in place; `say` is told step, loss and accuracy."""
    torch.manual_seed(settings.seed)
    draw = random.Random(settings.seed)
    scale = nn.Parameter(torch.tensor(25.0).log())
    slope, offset = nn.Parameter(torch.tensor(20.0)), nn.Parameter(torch.tensor(-9.0))
    for parameter in tower.model.embeddings.parameters():
        parameter.requires_grad = False
    weights = [p for p in tower.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "lr": settings.rate}, {"params": [scale, slope, offset], "lr": 0.01}], weight_decay=0.01
    )
    answerable = sum(p.sentence is not None for p in corpus.pairs)
    steps = int(settings.epochs * answerable / settings.pairs)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [settings.rate, 0.01], total_steps=steps + 1, pct_start=settings.warmup, anneal_strategy="linear"
    )
    began = time.time()
    tower.model.train()
    for step, (chosen, unanswered) in zip(range(steps), _batches(corpus, settings, draw), strict=False):
        whole = draw.random() < settings.passages
        titled = draw.random() < 0.75
        keys, texts = _candidates(corpus, chosen, unanswered, mined, settings, draw, whole=whole, titled=titled)
        passage_vectors = tower.vectors(texts, "passages")
        loss, right = torch.tensor(0.0), 0.0
        for lang in _LANGUAGES:
            asked = [vary(p.questions[lang], draw) for p in [*chosen, *unanswered]]
            scores = max_sim(tower.vectors(asked, lang), passage_vectors)
            part, hits = _loss(scores, keys, chosen, unanswered, (scale, slope, offset), settings, whole=whole)
            loss, right = loss + part / 2, right + hits / 2
        descend(loss, weights, optimizer, schedule)
        if step % 10 == 0:
            say({"step": step, "of": steps, "loss": loss.item(), "first": right, "seconds": time.time() - began})


def descend(loss: torch.Tensor, weights: Sequence[nn.Parameter], optimizer: Any, schedule: Any) -> None:
    """One step down the gradient, its length held to 1."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    schedule.step()


def _batches(corpus: Corpus, settings: TrainSettings, draw: random.Random) -> Iterator[tuple[list[Pair], list[Pair]]]:
    def endless(pairs: list[Pair]) -> Iterator[Pair]:
        while True:
            yield from draw.sample(pairs, len(pairs))

    yes = endless([p for p in corpus.pairs if p.sentence is not None])
    no = endless([p for p in corpus.pairs if p.sentence is None])
    while True:
        yield [next(yes) for _ in range(settings.pairs)], [next(no) for _ in range(settings.unanswerable)]


def _candidates(
    corpus: Corpus,
    chosen: list[Pair],
    unanswered: list[Pair],
    mined: dict[str, list[tuple[int, int]]],
    settings: TrainSettings,
    draw: random.Random,
    *,
    whole: bool,
    titled: bool,
) -> tuple[list[tuple[int, int]], list[str]]:
    """The texts of a batch, each once, by passage row and sentence (-1 for a whole passage)."""
    keys: dict[tuple[int, int], None] = {}
    for pair in chosen:
        wrong = draw.sample(mined[pair.id], min(settings.mined, len(mined[pair.id])))
        if whole:
            keys[pair.text, -1] = None
            keys.update({(i, -1): None for i, _ in wrong[:1]})
            continue
        keys[pair.text, pair.sentence or 0] = None
        others = [(pair.text, j) for j in range(len(corpus.texts[pair.text].spans)) if j != pair.sentence]
        keys.update(dict.fromkeys([*draw.sample(others, min(1, len(others))), *wrong]))
    for pair in unanswered:
        count = len(corpus.texts[pair.text].spans)
        picked = [-1] if whole else draw.sample(range(count), min(2, count))
        keys.update({(pair.text, j): None for j in picked})
    found = list(keys)
    texts = [
        corpus.texts[i].whole(titled=titled) if j < 0 else corpus.texts[i].sentence(j, titled=titled) for i, j in found
    ]
    return found, texts


def _loss(
    scores: torch.Tensor,
    keys: list[tuple[int, int]],
    chosen: list[Pair],
    unanswered: list[Pair],
    learnt: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    settings: TrainSettings,
    *,
    whole: bool,
) -> tuple[torch.Tensor, float]:
    scale, slope, offset = learnt
    where = {key: column for column, key in enumerate(keys)}
    right = torch.tensor([where[p.text, -1 if whole else p.sentence or 0] for p in chosen])
    asked = scores[: len(chosen)]
    ranking = nn.functional.cross_entropy(asked * scale.exp(), right)
    answered = slope * asked[torch.arange(len(chosen)), right] + offset
    own = [[c for c, (i, _) in enumerate(keys) if i == p.text] for p in unanswered]
    best = torch.stack([scores[len(chosen) + k, columns].max() for k, columns in enumerate(own)])
    logits = torch.cat([answered, slope * best + offset])
    truth = torch.cat([torch.ones(len(chosen)), torch.zeros(len(unanswered))])
    telling = nn.functional.binary_cross_entropy_with_logits(logits, truth)
    hits = (asked.argmax(dim=1) == right).float().mean().item()
    return ranking + settings.answer_weight * telling, hits


def average(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """`share` of the weights `one` and the rest of `other`.

    It keeps what training forgets (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
    """
    return {
        name: share * value + (1 - share) * other[name] if value.is_floating_point() else value
        for name, value in one.items()
    }
