"""One command from the training questions to the reader that fiche ships.

    python -m evals.reader [--work FOLDER]

Takes about an hour and a half on two cores; what each stage made is kept in the work folder, so a run
that was cut off goes on. Writes `index/data/reader/` with its log, its curve and its figures on the
held-out documents. Nothing here looks at the fiche, its translation or its questions.
"""

import copy
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from evals.plots import curve
from evals.reader.answering import Adapted, AnswerSettings, train_answering
from evals.reader.corpus import read_corpus
from evals.reader.export import export
from evals.reader.graphs import write_products
from evals.reader.holdout import measure_answering, measure_retrieval
from evals.reader.retrieval import Tower, TrainSettings, average, mine, train_retrieval
from index.centring import Centring
from index.encoder import shipped_reader
from index.general import general_folder
from index.onnx_reader import OnnxReader
from index.settings import load_settings
from index.weights import bundled_weights

_HERE = Path(__file__).parent.parent
_CORPORA = (_HERE / "training", _HERE / "training" / "invented")
_SHARES = (0.75, 1.0)
"""How much of the trained weights may go into the reader, the rest being the original's."""
_GUARD = 0.015
"""The smallest share that finds at most so many fewer right sentences than the best is taken: the held-out
documents are of the kinds that were trained on, and on others it is the original that keeps its footing."""

_SHOWN = 60
"""Passages by which it is found which inputs become large."""


class _Log:
    """Keeps what training says, on the screen and for the record."""

    def __init__(self, path: Path, console: Console) -> None:
        self._file, self._console, self.stage = path.open("a", encoding="utf-8"), console, ""

    def __call__(self, told: dict[str, float]) -> None:
        entry = {"stage": self.stage, **{k: round(v, 4) for k, v in told.items()}}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        self._console.print("  ".join(f"{key} {value}" for key, value in entry.items()), style="dim")


def _samples() -> dict[str, list[str]]:
    stored = json.loads((_HERE.parent / "index" / "data" / "centring.json").read_text(encoding="utf-8"))
    return {"passages": stored["passages"], **stored["questions"]}


def _kept(path: Path, make: Callable[[], Any]) -> Any:
    """What is in the file, or what `make` makes, then put there."""
    if not path.exists():
        torch.save(make(), path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
    return torch.load(path)


class _Recipe:
    """The stages, each kept when it is done."""

    def __init__(self, work: Path, console: Console, model: Any, tokenizer: Any) -> None:
        corpus = read_corpus(_CORPORA)
        self.learn, self.held_out = corpus.part(held_out=False), corpus.part(held_out=True)
        self.model, self.tokenizer, self.tower = model, tokenizer, Tower(model, tokenizer)
        self.base, self.samples = copy.deepcopy(model.state_dict()), _samples()
        self.work, self.log = work, _Log(work / "training.jsonl", console)
        self.figures: dict[str, dict[str, float]] = {}
        self._console = console

    def measured(self, name: str, weights: dict[str, torch.Tensor]) -> dict[str, float]:
        """What the encoder finds on the held-out documents with these weights."""
        self._load(weights)
        found: dict[str, float] = _kept(self.work / f"{name}.pt", lambda: measure_retrieval(self.tower, self.held_out))
        self.figures[name] = found
        self._console.print(f"{name}: {found}")
        return found

    def _load(self, weights: dict[str, torch.Tensor]) -> None:
        self.model.load_state_dict(weights)
        self.model.eval()
        self.tower.centre(self.samples)

    def retrieval(self, settings: TrainSettings, mined: dict[str, list[tuple[int, int]]]) -> float:
        """Train the encoder, leave the best average in the model, and return its share."""

        def train() -> dict[str, torch.Tensor]:
            self.log.stage = "retrieval"
            train_retrieval(self.tower, self.learn, mined, settings, self.log)
            return dict(self.model.state_dict())

        trained = _kept(self.work / "retrieval.pt", train)
        mixed = {share: average(trained, self.base, share) for share in _SHARES}
        found = {share: self.measured(f"share-{share}", weights) for share, weights in mixed.items()}
        right = {share: (figures["nl@1"] + figures["en@1"]) / 2 for share, figures in found.items()}
        best = min(share for share in right if right[share] >= max(right.values()) - _GUARD)
        self._load(mixed[best])
        return best

    def answering(self, settings: AnswerSettings, mined: dict[str, list[tuple[int, int]]]) -> Adapted:
        """Train adapters and heads beside the encoder."""
        adapted = Adapted(self.model, settings.rank)

        def train() -> dict[str, torch.Tensor]:
            self.log.stage = "answering"
            train_answering(adapted, self.tokenizer, self.learn, mined, settings, self.log)
            return dict(adapted.state_dict())

        adapted.load_state_dict(_kept(self.work / "answering.pt", train))
        self.figures["answering"] = measure_answering(adapted, self.tokenizer, self.held_out)
        return adapted


def main(
    work: Annotated[Path, typer.Option(help="Where what each stage made is kept.")] = Path(".reader"),
) -> None:
    """Train, measure on the held-out documents, and write the reader's files."""
    from transformers import AutoModel, AutoTokenizer

    console = Console(highlight=False)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    work.mkdir(parents=True, exist_ok=True)
    folder = general_folder(load_settings())
    recipe = _Recipe(work, console, AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
    recipe.measured("general", recipe.base)
    mined = _kept(work / "mined.pt", lambda: mine(recipe.tower, recipe.learn))
    settings, answer_settings = TrainSettings(), AnswerSettings()
    share = recipe.retrieval(settings, mined)
    adapted = recipe.answering(answer_settings, mined)
    told = {"retrieval": asdict(settings), "share": share, "answering": asdict(answer_settings)}
    _ship(adapted, recipe.tokenizer, told, recipe.figures, work)
    console.print(json.dumps(recipe.figures, indent=1))


def _ship(adapted: Adapted, tokenizer: Any, recipe: dict[str, Any], figures: dict[str, Any], work: Path) -> None:
    target = shipped_reader()
    sample = [f"passage: {text}" for text in _samples()["passages"][:_SHOWN]]
    export(adapted, bundled_weights(), tokenizer.backend_tokenizer, target, {"recipe": recipe}, sample)
    write_products(target.parent / "products.onnx")
    Centring.compute(OnnxReader(target)).save(target)
    record = Path(__file__).parent / "record"
    record.mkdir(exist_ok=True)
    lines = (work / "training.jsonl").read_text(encoding="utf-8")
    (record / "training.jsonl").write_text(lines, encoding="utf-8")
    (record / "curve.svg").write_text(curve([json.loads(line) for line in lines.splitlines()]), encoding="utf-8")
    (record / "heldout.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
