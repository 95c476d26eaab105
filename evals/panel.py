"""What the Evaluate tab of the web chat shows: sets, runs, reports. Knows nothing of the page.

Found through the entry point `fiche.panels`, so that `ui` needs to know nothing of this folder.
"""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from evals import report, run
from evals.engines import FicheCandidate
from evals.sets import Problem, read_set
from evals.wording import wording
from index.errors import InputError
from index.snapshot import Progress
from rag.engine import Engine
from rag.language import Language

__all__ = ["EvaluationPanel"]

_MOST_RUNS = 30


class EvaluationPanel:
    """Runs sets for someone who does not use the command line; what is theirs lies in `folder`."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._engine = engine
        self._runs = folder / "runs"
        self._own = folder / "sets"
        self._feedback = folder / "feedback.jsonl"

    def sets(self) -> list[dict[str, Any]]:
        """Each set's `name` and number of `questions`: the shipped ones, uploaded ones, and the feedback."""
        return [{"name": name, "questions": len(read_set(path)[0])} for name, path in self._sets().items()]

    def _sets(self) -> dict[str, Path]:
        shipped = Path(str(files("evals") / "datasets"))
        first = sorted(shipped.glob("*.jsonl"), key=lambda path: path.stem)
        paths = [*first, *sorted(self._own.glob("*.jsonl")), self._feedback]
        return {path.name: path for path in paths if path.is_file()}

    def add_set(self, name: str, raw: bytes) -> str:
        """Keep an uploaded set; returns its name.

        Raises:
            InputError: there is no question in it that can be asked.
        """
        stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(name).stem).strip("-") or "set"
        self._own.mkdir(parents=True, exist_ok=True)
        path = self._own / f"{stem[:80]}.jsonl"
        beside = path.with_suffix(".partial")
        beside.write_bytes(raw)
        questions, problems = read_set(beside)
        if not questions:
            beside.unlink()
            raise InputError(
                f"no question of the set can be asked ({_first(problems, 'en')}): mend it and try again",
                f"geen vraag van deze set kan gesteld worden ({_first(problems, 'nl')}). Verbeter haar en probeer het "
                "nog eens.",
            )
        beside.replace(path)
        return path.name

    def run(self, name: str, limit: int | None, earlier: str, progress: Progress) -> str:
        """Ask every question of a set; returns the name of the run.

        Raises:
            InputError: there is no such set or run, or no question in it can be asked.
        """
        path = self._sets().get(name)
        if path is None:
            raise InputError(
                "this set is gone: reload the page and choose another",
                "deze set is er niet meer. Laad de pagina opnieuw en kies een andere.",
            )
        before = run.load_run(self._folder(earlier)) if earlier else None
        questions, problems = read_set(path)
        questions = questions[:limit]
        if not questions:
            raise InputError(
                f"{name} holds no question that can be asked: complete one first",
                f"{name} bevat geen vraag die gesteld kan worden. Vul er eerst een aan.",
            )
        folder = run.new_folder(self._runs, path.stem, "fiche")
        results = run.resume(folder, questions, FicheCandidate(self._engine), progress)
        snapshot = self._engine.snapshot
        passages = [d.text[p.start : p.end] for d in snapshot.documents.values() for p in d.passages]
        about = {
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "model": self._engine.encoder.name,
            "snapshot": snapshot.manifest.snapshot,
            "documents": list(snapshot.documents),
            "set": name,
            "engine": "fiche",
            "questions": len(questions),
            "broken lines": len(problems),
        }
        finished = run.write_summary(folder, run.make_rows(questions, results, passages), about)
        for lang in ("nl", "en"):
            report.write_report(finished, before, lang)  # the English one last: by it a run counts as finished
        return folder.name

    def runs(self) -> list[dict[str, Any]]:
        """The finished runs, latest first: `name`, `set`, `questions` and `date`."""
        found = []
        for folder in sorted(self._runs.glob("*/report.html"), reverse=True)[:_MOST_RUNS]:
            try:
                about = json.loads((folder.parent / "summary.json").read_text(encoding="utf-8"))["about"]
                found.append({"name": folder.parent.name, **{key: about[key] for key in ("set", "questions", "date")}})
            except (OSError, ValueError, KeyError):
                continue
        return found

    def report(self, name: str, lang: Language) -> str:
        """The report of a run, a whole HTML page that loads nothing.

        Raises:
            InputError: there is no such run.
        """
        folder = self._folder(name)
        path = folder / ("report.html" if lang == "en" else f"report-{lang}.html")
        if not path.exists():  # the command line writes the English one
            report.write_report(run.load_run(folder), None, lang)
        return path.read_text(encoding="utf-8")

    def _folder(self, name: str) -> Path:
        known = {path.parent.name: path.parent for path in self._runs.glob("*/report.html")}
        if name not in known:
            raise InputError(
                "this run is gone: reload the page and choose another",
                "deze uitkomst is er niet meer. Laad de pagina opnieuw en kies een andere.",
            )
        return known[name]


def _first(problems: list[Problem], lang: Language) -> str:
    """What is wrong with a set, by its first broken line."""
    if not problems:
        return wording(lang)("it is empty")
    return f"{'regel' if lang == 'nl' else 'line'} {problems[0].line}: {wording(lang)(problems[0].reason)}"
