"""Fits the weights that turn signals into a confidence, and the threshold below which fiche refuses.

    python -m evals.calibrate [MODEL…]

It looks at the dev split of `datasets/fiche.jsonl`, never at the test split, and at the held-out
invented documents of the training data; either part weighs as much as the other. The result is
`rag/data/calibration.json`; what each weight says is in `rag.confidence.SIGNALS`.

The other training questions were tried and left out: their unanswerable ones are worded closer to
the passage than their answerable ones, so that a fit on them learns to distrust a close match.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from evals.reader.documents import unlearnt
from evals.sets import Question, read_set
from index.build import known_translations, shipped_document
from index.encoder import Encoder, load_encoder
from index.memory import TranslationMemory
from index.records import Document
from index.settings import BUNDLED_MODEL, GENERAL_MODEL, Settings, load_settings
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from rag.answer import select
from rag.confidence import SIGNALS, Calibration, measure
from rag.retriever import Retriever

__all__ = ["Observation", "fit", "look", "main", "observe"]

_HERE = Path(__file__).parent
_TARGET = _HERE.parent / "rag" / "data" / "calibration.json"
_FALSE_REFUSALS = 0.055
"""The share of the answerable questions seen that the threshold lets be refused: on the fiche itself fewer are,
for the invented documents are the harder half."""
_FAR_REFUSALS = 0.01
"""The part of it that the floor under the best sentence's match takes, of the fiche's own questions."""
_STRENGTH = 0.1
"""Inverse of the penalty on the weights: small, for there are few questions."""
_QUOTES = 1.46
"""Sentences quoted on average in answers to the fiche's dev questions, of at most three."""
_CONSTANT = 1e-3
_FAR_KIND, _FAR_PAIRS = "dk", 20
"""Questions that Belgian ministers answered stand for those that are about something else altogether."""
_KINDS = ("fic", "brf")
"""The held-out documents that are looked at: invented fiches, and a letter to parliament."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One question asked: its signals, and what came of it."""

    question: Question
    signals: dict[str, float]
    right: tuple[bool, ...]
    """For each of the three best sentences, whether it holds the evidence."""
    gaps: tuple[float, ...]
    """How far each of them is below the best."""
    weight: float = 1.0
    """How much it counts."""


def observe(
    documents: Sequence[Document],
    questions: Sequence[Question],
    encoder: Encoder,
    memory: TranslationMemory | None = None,
) -> Iterator[Observation]:
    """Ask the questions over the documents, without refusing any."""
    with tempfile.TemporaryDirectory() as name:
        counts = write_snapshot(Path(name), documents, encoder, memory=memory)
        manifest = Manifest("calibration", "", encoder.name, encoder.fingerprint, encoder.dim, counts, {})
        retriever = Retriever(Snapshot(Path(name), manifest), encoder)
        everything = Calibration(0, {}, {}, {}, slope=1, offset=0, threshold=0, floor=0, keep=9)
        for question in questions:
            scores = retriever.score(question.question, question.lang)
            retrieved = retriever.rank(question.question, question.lang, scores)
            rows = select(retrieved, retriever.snapshot, everything)
            ranked = dict(retrieved.sentences)
            texts = []
            for row in rows:
                document, _ = retriever.snapshot.passages[int(retriever.snapshot.passage_of[row])]
                span = retriever.snapshot.sentences[row]
                texts.append(document.text[span.start : span.end])
            yield Observation(
                question,
                measure(question.question, question.lang, scores, retriever.snapshot),
                tuple(question.answerable and question.evidence_in(text) for text in texts),
                tuple(ranked[rows[0]] - ranked[row] for row in rows),
            )


def fit(observations: Sequence[Observation]) -> Calibration:
    """The regression of "the document answers this" on the signals; the rest is unset.

    Args:
        observations: at least one answerable and one not.
    """
    names = list(SIGNALS)
    raw = np.array([[o.signals[name] for name in names] for o in observations])
    means, scales = raw.mean(axis=0), raw.std(axis=0)
    scales[scales < _CONSTANT] = 1.0  # the signal says nothing here
    model = LogisticRegression(C=_STRENGTH, max_iter=1000)
    weights = [o.weight for o in observations]
    model.fit((raw - means) / scales, [o.question.answerable for o in observations], sample_weight=weights)

    def named(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}

    bias = round(float(model.intercept_[0]), 4)
    return Calibration(bias, named(model.coef_[0]), named(means), named(scales), 1.0, 0.0, -np.inf, -np.inf, 0.0)


def choose(calibration: Calibration, seen: Sequence[Observation]) -> Calibration:
    """The same with the threshold, the gap, and the second regression set on the questions seen."""
    answerable = [o for o in seen if o.question.answerable]
    weights = np.array([o.weight for o in answerable])

    def low(values: list[float], share: float) -> float:
        return float(np.quantile(values, share, weights=weights, method="inverted_cdf"))

    own = [o.signals["top_sentence"] for o in answerable if o.question.document]
    floor = float(np.quantile(own, _FAR_REFUSALS, method="inverted_cdf"))
    threshold = low([calibration.support(o.signals) for o in answerable], _FALSE_REFUSALS - _FAR_REFUSALS)
    chosen = replace(calibration, threshold=threshold, floor=floor)
    answered = [o for o in seen if not chosen.refuses(o.signals)]
    short = [o for o in answered if o.question.document and o.question.answerable]
    for keep in np.arange(0.2, 0, -0.001):
        if np.mean([sum(gap <= keep for gap in o.gaps) for o in short]) <= _QUOTES:
            break
    right = [any(r for r, gap in zip(o.right, o.gaps, strict=True) if gap <= keep) for o in answered]
    support = [[calibration.support(o.signals)] for o in answered]
    platt = LogisticRegression(C=1.0).fit(support, right, sample_weight=[o.weight for o in answered])
    return replace(
        calibration,
        slope=round(float(platt.coef_[0, 0]), 4),
        offset=round(float(platt.intercept_[0]), 4),
        threshold=round(threshold, 4),
        floor=round(floor, 4),
        keep=round(float(keep), 4),
    )


def look(settings: Settings, encoder: Encoder) -> list[Observation]:
    """The dev split and the held-out documents, asked; each part has half of the weight.

    All are also asked some questions that are about nothing in them.
    """
    questions, _ = read_set(_HERE / "datasets" / "fiche.jsonl")
    texts = list(unlearnt())
    far = [
        replace(question, answerable=False, evidence=())
        for kind, _, asked in texts
        if kind == _FAR_KIND
        for question in asked[: 2 * _FAR_PAIRS]
    ][: 2 * _FAR_PAIRS]
    dev = [question for question in questions if question.split == "dev"]
    own = list(observe([shipped_document()], dev + far, encoder, known_translations(settings)))
    others = [
        observation
        for kind, document, asked in texts
        if kind in _KINDS
        for observation in observe([document], asked + far, encoder)
    ]
    return [replace(o, weight=1000 / len(part)) for part in (own, others) for o in part]


def main(models: Annotated[list[str] | None, typer.Argument(help="Those to fit; both unless named.")] = None) -> None:
    """Fit, write the file, and say what came out, on the questions seen and left out of the fit in turn."""
    console = Console(highlight=False)
    stored = json.loads(_TARGET.read_text(encoding="utf-8"))
    for model in models or (BUNDLED_MODEL, GENERAL_MODEL):
        settings = load_settings(model=model)
        encoder = load_encoder(settings)
        console.print(f"[bold]{encoder.name}[/bold]")
        seen = look(settings, encoder)
        calibration = choose(fit(seen), seen)
        stored[encoder.name] = {name: getattr(calibration, name) for name in Calibration.__slots__}
        _TARGET.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        _tell(console, calibration, seen)
        console.print(f"written to {_TARGET}")


def _tell(console: Console, calibration: Calibration, seen: Sequence[Observation]) -> None:
    left_out = cross_fitted(seen)
    answerable = np.array([o.question.answerable for o in seen])
    own = np.array([o.question.document != "" for o in seen])
    for name, part in (("dev split", own), ("held-out documents", ~own)):
        support = np.array(left_out)
        limit = np.quantile(support[part & answerable], 0.05)
        share = (support[part & ~answerable] < limit).mean()
        area = roc_auc_score(answerable[part], support[part])
        console.print(f"{name}, left out of the fit: area {area:.3f}, refused at 5 % false refusals {share:.3f}")
    for name, weight in sorted(calibration.weights.items(), key=lambda entry: -abs(entry[1])):
        console.print(f"  {weight:+.2f}  {name}: {SIGNALS[name]}")
    console.print(f"threshold {calibration.threshold}, gap {calibration.keep}")


def cross_fitted(observations: Sequence[Observation], folds: int = 10) -> list[float]:
    """Each question's support by a fit that saw neither it nor its translation."""
    groups = [o.question.pair for o in observations]
    found = [0.0] * len(observations)
    for train, held in GroupKFold(folds).split(observations, groups=groups):
        calibration = fit([observations[i] for i in train])
        for i in held:
            found[i] = calibration.support(observations[i].signals)
    return found


if __name__ == "__main__":
    typer.run(main)
