"""Measures the checker of written claims by itself, on claims labelled by hand beside their sentences.

    python -m evals.grounding [--fit]

Reads `datasets/grounding.jsonl`: `source` (a sentence), `claim`, `lang`, `kind` of the claim, and
whether it is `supported`. Claims about one sentence belong together, and a hash of their number puts
them into the dev or the test half. `--fit` sets the thresholds of nearness on dev and keeps them in
`rag/data/grounding.json`. `datasets/grounding-close.jsonl` is harder on purpose, and says the half itself:
its sentences tell of several things, its false claims keep nearly all of their words, and its true ones few.
Nothing is set by it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from evals.intervals import Estimate, bootstrap
from evals.sets import Split
from index.centring import Centring
from index.encoder import load_encoder
from index.records import Language
from index.settings import load_settings
from rag.grounding import Grounder, Signals, Thresholds
from rag.lacking import Source

__all__ = ["Labelled", "fit", "main", "read_claims", "scores"]

_DATASET = Path(__file__).parent / "datasets" / "grounding.jsonl"
_CLOSE = _DATASET.with_name("grounding-close.jsonl")
_WEIGHT = 0.5
"""Beta of the F-score that thresholds are chosen by: precision counts twice as much as recall."""
_STEPS = np.arange(0.4, 0.95, 0.01)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A claim beside a sentence, and whether the sentence supports it."""

    id: str
    source: str
    claim: str
    lang: Language
    kind: str
    supported: bool
    half: Split | None = None
    """Which half it belongs to, where that is not left to the hash."""

    @property
    def group(self) -> str:
        """What the claims about one sentence share."""
        return self.id.split(".")[0]

    @property
    def split(self) -> Split:
        """The half that its group belongs to."""
        hashed: Split = "dev" if hashlib.sha256(self.group.encode()).digest()[0] < 128 else "test"
        return self.half or hashed


def read_claims(path: Path = _DATASET) -> list[Labelled]:
    """The labelled claims of a file."""
    return [Labelled(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def scores(claims: Sequence[Labelled], called: Sequence[bool]) -> dict[str, Estimate]:
    """Precision and recall on "supported", with intervals drawn over sentences."""
    groups = sorted({claim.group for claim in claims})
    pairs = list(zip(claims, called, strict=True))
    right = [[float(c.supported) for c, yes in pairs if c.group == g and yes] for g in groups]
    found = [[float(yes) for c, yes in pairs if c.group == g and c.supported] for g in groups]
    return {
        "precision": bootstrap([values for values in right if values]),
        "recall": bootstrap([values for values in found if values]),
    }


def fit(signals: Sequence[Signals], supported: Sequence[bool]) -> Thresholds:
    """The thresholds with the best F-score, in one language and across two; of equals the strictest."""
    best: dict[bool, tuple[float, ...]] = {}
    for across in (False, True):
        rows = [(s, yes) for s, yes in zip(signals, supported, strict=True) if s.across == across]
        flawless = np.array([not s.flaw for s, _ in rows])
        means, stretches = (np.array([getattr(s, name) for s, _ in rows]) for name in ("mean", "stretch"))
        wanted = np.array([yes for _, yes in rows])
        best[across] = max(
            (_f_score(flawless & (means >= mean) & (stretches >= stretch), wanted), mean + stretch, mean, stretch)
            for mean, stretch in product(_STEPS, _STEPS)
        )
    return Thresholds(*(round(float(value), 2) for across in (False, True) for value in best[across][2:]))


def _f_score(called: np.ndarray, wanted: np.ndarray) -> float:
    hit = float((called & wanted).sum())
    weighed = (1 + _WEIGHT**2) * hit
    return weighed / (float(called.sum()) + _WEIGHT**2 * float(wanted.sum())) if weighed else 0.0


def main(fit_: Annotated[bool, typer.Option("--fit", help="Set the thresholds on dev and keep them.")] = False) -> None:
    """Check every labelled claim, and show precision, recall and what slipped through on dev."""
    console = Console(highlight=False, markup=False)
    encoder = load_encoder(load_settings())
    grounder = Grounder(encoder, Centring.of(encoder))
    measured = {path: _measured(grounder, path) for path in (_DATASET, _CLOSE)}
    if fit_:
        dev = [row for row in measured[_DATASET] if row[0].split == "dev"]
        found = fit([signals for _, signals in dev], [claim.supported for claim, _ in dev])
        kept = {"about": "Set by python -m evals.grounding --fit on the dev half of evals/datasets/grounding.jsonl."}
        kept |= {name: getattr(found, name) for name in Thresholds.__slots__}
        path = Path(str(files("rag") / "data" / "grounding.json"))
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        grounder = Grounder(encoder, Centring.of(encoder), found)
    for title, rows in zip(("plain", "close"), measured.values(), strict=True):
        _show(console, title, [claim for claim, _ in rows], [not grounder.verdict(s) for _, s in rows])


def _measured(grounder: Grounder, path: Path) -> list[tuple[Labelled, Signals]]:
    return [(c, grounder.measure(c.claim, c.lang, [Source(c.source)])) for c in read_claims(path)]


def _show(console: Console, title: str, claims: Sequence[Labelled], called: Sequence[bool]) -> None:
    table = Table("", f"{title}, dev", f"{title}, test")
    parts = {split: [i for i, claim in enumerate(claims) if claim.split == split] for split in ("dev", "test")}
    found = {split: scores([claims[i] for i in rows], [called[i] for i in rows]) for split, rows in parts.items()}
    for name in ("precision", "recall"):
        table.add_row(f"{name} on supported", *(_told(found[split][name]) for split in parts))
    for kind in dict.fromkeys(claim.kind for claim in claims):
        of_kind = {split: [called[i] for i in rows if claims[i].kind == kind] for split, rows in parts.items()}
        table.add_row(f"{kind}: called supported", *(f"{sum(v)} of {len(v)}" for v in of_kind.values()))
    console.print(table)
    for i in parts["dev"]:
        if called[i] != claims[i].supported and title == "plain":
            console.print(f"{'wrongly supported' if called[i] else 'missed'} ({claims[i].kind}): {claims[i].claim}")


def _told(figure: Estimate) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}], n={figure.count}"


if __name__ == "__main__":
    typer.run(main)
