"""Fits the weights that turn signals into a confidence, and the threshold below which fiche refuses.

    python -m evals.calibrate

It looks at the dev split of `datasets/fiche.jsonl`, never at the test split. The result is
`rag/data/calibration.json`; what each weight says is in `rag.confidence.SIGNALS`.

The training questions were tried and left out: their unanswerable ones are worded closer to the
passage than their answerable ones, so that a fit on them learns to distrust a close match.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from evals.sets import Question, read_set
from index.build import known_translations, shipped_document
from index.encoder import Encoder, load_encoder
from index.memory import TranslationMemory
from index.records import Document
from index.settings import BUNDLED_MODEL, GENERAL_MODEL, load_settings
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from rag.answer import select
from rag.confidence import SIGNALS, Calibration, measure
from rag.retriever import Retriever

__all__ = ["Observation", "fit", "main", "observe"]

_HERE = Path(__file__).parent
_TARGET = _HERE.parent / "rag" / "data" / "calibration.json"
_FALSE_REFUSALS = 0.04
"""The share of answerable dev questions that the threshold lets be refused: below the 5 % promised,
so that another draw of questions stays under it."""
_FAR_REFUSALS = 0.01
"""The part of it that the floor under the best sentence's match takes."""
_STRENGTH = 0.1
"""Inverse of the penalty on the weights: small, for there are few questions."""
_QUOTES = 1.48
"""Sentences quoted on average, of at most three."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One question asked: its signals, and what came of it."""

    question: Question
    signals: dict[str, float]
    right: tuple[bool, ...]
    """For each of the three best sentences, whether it holds the evidence."""
    gaps: tuple[float, ...]
    """How far each of them is below the best."""


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
                measure(question.question, scores, retriever.snapshot),
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
    means, scales = raw.mean(axis=0), raw.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, max_iter=1000)
    model.fit((raw - means) / scales, [o.question.answerable for o in observations])

    def named(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}

    bias = round(float(model.intercept_[0]), 4)
    return Calibration(bias, named(model.coef_[0]), named(means), named(scales), 1.0, 0.0, -np.inf, -np.inf, 0.0)


def choose(calibration: Calibration, dev: Sequence[Observation]) -> Calibration:
    """The same with the threshold, the gap, and the second regression set on the dev questions."""
    support = {o.question.id: calibration.support(o.signals) for o in dev}
    answerable = [o for o in dev if o.question.answerable]
    floor = float(np.quantile([o.signals["top_sentence"] for o in answerable], _FAR_REFUSALS))
    threshold = float(np.quantile([support[o.question.id] for o in answerable], _FALSE_REFUSALS - _FAR_REFUSALS))
    for keep in np.arange(0.2, 0, -0.002):
        quotes = np.mean([sum(gap <= keep for gap in o.gaps) for o in dev])
        if quotes <= _QUOTES:
            break
    chosen = replace(calibration, threshold=threshold, floor=floor)
    answered = [o for o in dev if not chosen.refuses(o.signals)]
    right = [any(r for r, gap in zip(o.right, o.gaps, strict=True) if gap <= keep) for o in answered]
    platt = LogisticRegression(C=1.0).fit([[support[o.question.id]] for o in answered], right)
    return replace(
        calibration,
        slope=round(float(platt.coef_[0, 0]), 4),
        offset=round(float(platt.intercept_[0]), 4),
        threshold=round(threshold, 4),
        floor=round(floor, 4),
        keep=round(float(keep), 4),
    )


def main() -> None:
    """Fit, write the file, and say what came out, on the dev split and left out of the fit in turn."""
    console = Console(highlight=False)
    questions, _ = read_set(_HERE / "datasets" / "fiche.jsonl")
    dev = [question for question in questions if question.split == "dev"]
    stored = {}
    for model in (BUNDLED_MODEL, GENERAL_MODEL):
        settings = load_settings(model=model)
        encoder = load_encoder(settings)
        console.print(f"[bold]{encoder.name}[/bold]")
        seen = list(observe([shipped_document()], dev, encoder, known_translations(settings)))
        calibration = choose(fit(seen), seen)
        stored[encoder.name] = {name: getattr(calibration, name) for name in Calibration.__slots__}
        _tell(console, calibration, seen)
    _TARGET.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {_TARGET}")


def _tell(console: Console, calibration: Calibration, dev: Sequence[Observation]) -> None:
    left_out = cross_fitted(dev)
    answerable = [o.question.answerable for o in dev]
    refused = [c < np.quantile([d for d, a in zip(left_out, answerable, strict=True) if a], 0.05) for c in left_out]
    console.print(f"{len(dev)} dev questions, {sum(answerable)} of them answerable")
    console.print(f"area under the curve, each pair left out in turn: {roc_auc_score(answerable, left_out):.3f}")
    share = np.mean([r for r, a in zip(refused, answerable, strict=True) if not a])
    console.print(f"unanswerable refused at 5 % false refusals, likewise: {share:.3f}")
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
    main()
