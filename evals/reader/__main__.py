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
SHARE = 0.5
"""How much of the trained weights goes into the reader, the rest being the original's; chosen on the
held-out documents among 0, 0.5, 0.75 and 1."""


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


def main(
    work: Annotated[Path, typer.Option(help="Where what each stage made is kept.")] = Path(".reader"),
) -> None:
    """Train, measure on the held-out documents, and write the reader's files."""
    from transformers import AutoModel, AutoTokenizer

    console = Console(highlight=False)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    work.mkdir(parents=True, exist_ok=True)
    log = _Log(work / "training.jsonl", console)
    folder = general_folder(load_settings())
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    corpus = read_corpus(_CORPORA)
    learn, held_out = corpus.part(held_out=False), corpus.part(held_out=True)
    tower, samples = Tower(model, tokenizer), _samples()
    base = copy.deepcopy(model.state_dict())
    model.eval()
    tower.centre(samples)
    figures: dict[str, dict[str, float]] = {"general": measure_retrieval(tower, held_out)}
    mined = _kept(work / "mined.pt", lambda: mine(tower, learn))
    settings, answer_settings = TrainSettings(), AnswerSettings()

    def retrieval() -> dict[str, torch.Tensor]:
        log.stage = "retrieval"
        train_retrieval(tower, learn, mined, settings, log)
        return dict(model.state_dict())

    trained = _kept(work / "retrieval.pt", retrieval)
    for share in (0.5, 0.75, 1.0):
        model.load_state_dict(average(trained, base, share))
        model.eval()
        tower.centre(samples)
        figures[f"share {share}"] = measure_retrieval(tower, held_out)
    model.load_state_dict(average(trained, base, SHARE))
    adapted = Adapted(model, answer_settings.rank)

    def answering() -> dict[str, torch.Tensor]:
        log.stage = "answering"
        train_answering(adapted, tokenizer, learn, mined, answer_settings, log)
        return dict(adapted.state_dict())

    adapted.load_state_dict(_kept(work / "answering.pt", answering))
    figures["answering"] = measure_answering(adapted, tokenizer, held_out)
    recipe = {"retrieval": asdict(settings), "share": SHARE, "answering": asdict(answer_settings)}
    _ship(adapted, tokenizer, recipe, figures, work)
    console.print(json.dumps(figures, indent=1))


def _ship(adapted: Adapted, tokenizer: Any, recipe: dict[str, Any], figures: dict[str, Any], work: Path) -> None:
    target = shipped_reader()
    export(adapted, bundled_weights(), tokenizer.backend_tokenizer, target, {"recipe": recipe})
    Centring.compute(OnnxReader(target)).save(target)
    record = Path(__file__).parent / "record"
    record.mkdir(exist_ok=True)
    lines = (work / "training.jsonl").read_text(encoding="utf-8")
    (record / "training.jsonl").write_text(lines, encoding="utf-8")
    (record / "curve.svg").write_text(curve([json.loads(line) for line in lines.splitlines()]), encoding="utf-8")
    (record / "heldout.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
