"""Runs a set through a candidate and keeps what came of it in a folder that a killed run resumes from.

    results.jsonl   one line a question, written as soon as it is answered
    summary.json    the figures, with what they were measured on
    report.html     the same to read

Knows nothing of how figures are shown.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.engines import Candidate, Result
from evals.intervals import Estimate, percentile
from evals.measures import MEASURES, Row, agreement, calibration_error, estimate, refusal_scores
from evals.relevance import retrieval
from evals.sets import Question
from index.errors import InputError

__all__ = ["Run", "group_rows", "load_run", "new_folder", "resume", "summarise", "write_summary"]

_RESULTS = "results.jsonl"
_SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its questions with their results, and its summary."""

    folder: Path
    rows: tuple[Row, ...]
    summary: dict[str, Any]


def new_folder(root: Path, set_name: str, candidate: str) -> Path:
    """A folder for a run, named after the moment, the set and the candidate."""
    folder = root / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{set_name}-{candidate}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def resume(
    folder: Path,
    questions: Sequence[Question],
    candidate: Candidate,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Ask the questions that the folder has no result for yet; the results of all, in order.

    A question whose wording changed since is asked again. An error while answering one question
    is its result: a refusal with the reason, so that it counts against the candidate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _RESULTS
    done = {key: result for key, result in _stored(path) if key in {(q.id, q.question) for q in questions}}
    _rewrite(path, done)
    with path.open("a", encoding="utf-8") as file:
        for number, question in enumerate(questions, 1):
            key = (question.id, question.question)
            if key not in done:
                done[key] = candidate.ask(question.question, question.history)
                file.write(_line(key, done[key]))
                file.flush()
            if progress:
                progress(number, len(questions))
    return [done[question.id, question.question] for question in questions]


def _line(key: tuple[str, str], result: Result) -> str:
    return json.dumps({"id": key[0], "question": key[1], "result": asdict(result)}, ensure_ascii=False) + "\n"


def _stored(path: Path) -> list[tuple[tuple[str, str], Result]]:
    """What is in a results file; a last line that a kill cut short is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
            fields = entry["result"]
            for name in ("passages", "scores", "quotes"):
                fields[name] = tuple(fields[name])
            fields["spans"] = tuple((int(a), int(b)) for a, b in fields["spans"])
            found.append(((entry["id"], entry["question"]), Result(**fields)))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _rewrite(path: Path, done: dict[tuple[str, str], Result]) -> None:
    beside = path.with_suffix(".partial")
    beside.write_text("".join(_line(key, result) for key, result in done.items()), encoding="utf-8")
    beside.replace(path)


def make_rows(questions: Sequence[Question], results: Sequence[Result], passages: Sequence[str]) -> list[Row]:
    """Questions, results and retrieval scores side by side."""
    scores = retrieval(questions, results, passages)
    return [Row(*entry) for entry in zip(questions, results, scores, strict=True)]


def group_rows(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of the whole set, of each language, split, tag and answerability, and of splits by language."""
    groups: dict[str, list[Row]] = {"all": list(rows)}
    for row in rows:
        question = row.question
        keys = [f"lang:{question.lang}", f"split:{question.split}", f"split:{question.split} lang:{question.lang}"]
        keys.append(f"answerable:{'yes' if question.answerable else 'no'}")
        for key in [*keys, *(f"tag:{tag}" for tag in question.tags)]:
            groups.setdefault(key, []).append(row)
    return groups


def summarise(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Every measure with its interval for every group of rows; where it is about none it is missing."""
    return {name: _figures(group) for name, group in sorted(group_rows(rows).items())}


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for measure in MEASURES:
        _put(found, measure.name, estimate(rows, measure.of))
    _put(found, "agreement", estimate(rows, agreement(rows)))
    refusals = refusal_scores(rows)
    error, bins = calibration_error(rows)
    times = [row.result.milliseconds for row in rows]
    return found | {
        "refusal precision": round(refusals["precision"], 4),
        "refusal f1": round(refusals["f1"], 4),
        "ece": round(error, 4),
        "reliability": [[round(c, 4), round(a, 4), n] for c, a, n in bins],
        "p50 ms": round(percentile(times, 0.5), 1),
        "p95 ms": round(percentile(times, 0.95), 1),
        "questions": len(rows),
    }


def _put(found: dict[str, Any], name: str, figure: Estimate | None) -> None:
    if figure:
        found[name] = [round(figure.value, 4), round(figure.low, 4), round(figure.high, 4), figure.count]


def write_summary(folder: Path, rows: Sequence[Row], about: dict[str, Any]) -> Run:
    """Write `summary.json`; `about` says what was measured."""
    questions = [
        {**asdict(row.question), "extra": row.question.extra, "retrieval": dict(row.retrieval)} for row in rows
    ]
    summary = {"about": about, "groups": summarise(rows), "questions": questions}
    (folder / _SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Run(folder, tuple(rows), summary)


def load_run(folder: Path) -> Run:
    """A run that was finished before.

    Raises:
        InputError: the folder holds no finished run.
    """
    try:
        summary = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        stored = dict(_stored(folder / _RESULTS))
        rows = []
        for kept in summary["questions"]:
            fields = {**kept}
            scores = fields.pop("retrieval")
            fields["evidence"] = tuple(fields["evidence"])
            fields["facts"] = tuple(tuple(fact) for fact in fields["facts"])
            fields["tags"] = tuple(fields["tags"])
            question = Question(**fields)
            rows.append(Row(question, stored[question.id, question.question], scores))
        return Run(folder, tuple(rows), summary)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"no finished run in {folder}: name a folder that 'fiche eval' made") from error
