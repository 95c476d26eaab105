"""Teaches the same encoder, read jointly, which sentence of a passage answers a question, or that none does.

Question and passage go in together; a score for each sentence (from the mean of its token states)
stands against one for "none of them" (from the first token's state), as in a reader that may abstain
(Devlin et al., "BERT", 2019, section 4.3, with sentences in place of spans). What the encoder learnt
for retrieval must not change, so only low-rank adapters beside its linear layers are trained (Hu et
al., "LoRA", 2021); a gate switches them off where the encoder retrieves.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evals.reader.corpus import Corpus, Pair, vary
from evals.reader.retrieval import descend
from rag.window import window

__all__ = ["Adapted", "Adapter", "AnswerSettings", "Example", "beside", "encode", "examples", "train_answering"]

_PLAIN = ("attention.self.key", "attention.output.dense")
"""The layers that get no adapter: each costs time at every question, and these gain least from one."""

_SORTED = 16
"""Batches that are sorted by length together."""

_NEAREST = 8
"""How many of the sentences that rank high and are wrong give a question its other passage."""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """What a run can be told."""

    epochs: float = 1.5
    batch: int = 16
    rate: float = 4e-4
    rank: int = 32
    wrong: float = 0.4
    """Examples with another passage, per question that may have one."""
    token_weight: float = 0.3
    warmup: float = 0.1
    seed: int = 20261124


@dataclass(frozen=True, slots=True)
class Example:
    """A question beside a part of a passage."""

    question: str
    title: str
    sentences: tuple[str, ...]
    answer: int | None
    """Which sentence answers, if any does."""
    words: tuple[int, int] = (0, 0)
    """Where in that sentence the answering words stand."""


class Gate:
    """One number for all adapters: 1 where question and passage are read together, else 0."""

    def __init__(self) -> None:
        self.value: torch.Tensor | float = 0.0


class Adapter(nn.Module):
    """A frozen linear layer with a low-rank addition."""

    def __init__(self, base: nn.Linear, rank: int, gate: Gate) -> None:
        super().__init__()
        self.base, self.gate = base, gate
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.normal_(self.down.weight, std=1 / rank)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output, with the addition where the gate is open."""
        found: torch.Tensor = self.base(x) + self.up(self.gate.value * self.down(x))
        return found


class Adapted(nn.Module):
    """The encoder with adapters and the two heads."""

    model: Any

    def __init__(self, model: Any, rank: int) -> None:
        super().__init__()
        self.model, self.gate = model, Gate()
        for parameter in model.parameters():
            parameter.requires_grad = False
        linear = [(name, layer) for name, layer in model.encoder.named_modules() if isinstance(layer, nn.Linear)]
        for name, layer in linear:
            if name.endswith(_PLAIN):
                continue
            parent, _, last = name.rpartition(".")
            setattr(model.encoder.get_submodule(parent), last, Adapter(layer, rank, self.gate))
        width = model.config.hidden_size
        self.sentence, self.none, self.token = nn.Linear(width, 1), nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Token states `(n, tokens, dim)` of question and passage read together."""
        self.gate.value = 1.0
        try:
            states: torch.Tensor = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            return states
        finally:
            self.gate.value = 0.0

    def scores(self, states: torch.Tensor, owner: torch.Tensor, count: int) -> torch.Tensor:
        """Logits `(n, 1 + count)`: of none, then of each sentence; `owner` has each token's sentence or -1."""
        member = (owner[..., None] == torch.arange(count)).float()
        sums = member.sum(dim=1).clamp(min=1)
        pooled = torch.einsum("ntk,ntd->nkd", member, states) / sums[..., None]
        logits = self.sentence(pooled)[..., 0].masked_fill(member.sum(dim=1) == 0, -1e4)
        return torch.cat([self.none(states[:, 0]), logits], dim=1)


def encode(
    batch: Sequence[Example], tokenizer: Any, max_tokens: int = 320
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask, each token's sentence (-1: none) and whether it stands in the answering words."""
    first = ["query: " + e.question for e in batch]
    heads = [f"passage: {e.title}: " if e.title else "passage: " for e in batch]
    second = [head + " ".join(e.sentences) for head, e in zip(heads, batch, strict=True)]
    told = tokenizer(
        first, second, padding=True, truncation="only_second", max_length=max_tokens,
        return_tensors="pt", return_offsets_mapping=True,
    )  # fmt: skip
    owner = torch.full(told["input_ids"].shape, -1)
    inside = torch.zeros(told["input_ids"].shape)
    for i, example in enumerate(batch):
        start = len(heads[i])
        own = torch.tensor([s == 1 for s in told.sequence_ids(i)])
        offsets = told["offset_mapping"][i]
        for k, sentence in enumerate(example.sentences):
            worded = own & (offsets[:, 1] > offsets[:, 0])
            here = worded & (offsets[:, 1] > start) & (offsets[:, 0] < start + len(sentence))
            owner[i][here] = k
            if k == example.answer:
                a, b = start + example.words[0], start + example.words[1]
                inside[i][here & (offsets[:, 1] > a) & (offsets[:, 0] < b)] = 1
            start += len(sentence) + 1
    return told["input_ids"], told["attention_mask"], owner, inside


def examples(
    corpus: Corpus, mined: dict[str, list[tuple[int, int]]], settings: AnswerSettings, draw: random.Random
) -> list[Example]:
    """Each question pair once, in one of its languages; some also beside a wrong passage that ranks high.

    A passage without the answer is cut around the sentence that ranks highest in it, as it will be when
    a question is asked. Of questions without an answer only those stand beside another passage whose
    whole document is known to have none.
    """
    found = []
    for pair in corpus.pairs:
        near = next((j for row, j in mined[pair.id] if row == pair.text), None)
        found.append(beside(corpus, pair, pair.text, pair.sentence, draw, near=near))
        text = corpus.texts[pair.text]
        others = [m for m in mined[pair.id] if m[0] != pair.text][:_NEAREST]
        certain = pair.sentence is not None or text.source == text.document
        if others and certain and draw.random() < settings.wrong:
            row, near = draw.choice(others)
            found.append(beside(corpus, pair, row, None, draw, near=near))
    draw.shuffle(found)
    return found


def beside(
    corpus: Corpus,
    pair: Pair,
    row: int,
    answer: int | None,
    draw: random.Random,
    *,
    near: int | None = None,
    langs: Sequence[str] = ("nl", "en"),
    typos: bool = True,
) -> Example:
    """A question beside the part of a passage around the sentence that answers, or one `near` it."""
    question = pair.questions[draw.choice(langs)]
    text = corpus.texts[row]
    sentences = [text.text[a:b] for a, b in text.spans]
    middle = answer if answer is not None else near if near is not None else draw.randrange(len(sentences))
    first, last = window([len(s.split()) for s in sentences], middle)
    words = (0, 0)
    if answer is not None and pair.quote is not None:
        start = text.spans[answer][0]
        words = (max(0, pair.quote[0] - start), pair.quote[1] - start)
    return Example(
        vary(question, draw) if typos else question,
        text.title if draw.random() < 0.8 or not typos else "",
        tuple(sentences[first:last]),
        None if answer is None else answer - first,
        words,
    )


def _batches(todo: Sequence[Example], size: int, draw: random.Random) -> list[list[Example]]:
    """Batches of like length, in random order: one long passage would pad all the others."""
    found = []
    for i in range(0, len(todo), size * _SORTED):
        near = sorted(todo[i : i + size * _SORTED], key=lambda e: len(e.question) + sum(map(len, e.sentences)))
        found += [near[k : k + size] for k in range(0, len(near) - size + 1, size)]
    draw.shuffle(found)
    return found


def train_answering(
    adapted: Adapted,
    tokenizer: Any,
    corpus: Corpus,
    mined: dict[str, list[tuple[int, int]]],
    settings: AnswerSettings,
    say: Callable[[dict[str, float]], None],
) -> None:
    """Train adapters and heads in place; `say` is told step, loss and the share of right choices."""
    torch.manual_seed(settings.seed)
    draw = random.Random(settings.seed)
    todo = [e for _ in range(int(settings.epochs) + 1) for e in examples(corpus, mined, settings, draw)]
    todo = todo[: int(len(todo) * settings.epochs / (int(settings.epochs) + 1))]
    batches = _batches(todo, settings.batch, draw)
    steps = len(batches)
    weights = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, total_steps=steps + 1, pct_start=settings.warmup, anneal_strategy="linear"
    )
    began = time.time()
    adapted.train()
    for step, batch in enumerate(batches):
        ids, mask, owner, inside = encode(batch, tokenizer)
        states = adapted(ids, mask)
        scores = adapted.scores(states, owner, max(len(e.sentences) for e in batch))
        target = torch.tensor([0 if e.answer is None else e.answer + 1 for e in batch])
        choosing = nn.functional.cross_entropy(scores, target)
        tokens = adapted.token(states)[..., 0][owner >= 0]
        pointing = nn.functional.binary_cross_entropy_with_logits(tokens, inside[owner >= 0])
        loss = choosing + settings.token_weight * pointing
        descend(loss, weights, optimizer, schedule)
        if step % 10 == 0:
            right = (scores.argmax(dim=1) == target).float().mean().item()
            say({"step": step, "of": steps, "loss": loss.item(), "right": right, "seconds": time.time() - began})
