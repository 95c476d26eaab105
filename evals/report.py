"""Turns a run into one HTML page that opens without a network, and into a table for the terminal.

Knows nothing of how answers are made or measured. Text of questions and documents is escaped by
the template engine; the page's own Content-Security-Policy lets it load nothing.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from rich.table import Table

from evals import plots
from evals.compare import Difference, differences, flips
from evals.measures import MEASURES, Row, is_right
from evals.run import Run
from evals.wording import wording
from rag.language import Language

__all__ = ["difference_table", "headline_table", "write_report"]

_COLUMNS = {
    "test, Dutch": "split:test lang:nl",
    "test, English": "split:test lang:en",
    "test": "split:test",
    "dev": "split:dev",
    "all": "all",
}
_EXTRA = {
    "agreement": "both wordings of a pair cite the same sentence first",
    "refusal precision": "of the refusals, the share that was right",
    "refusal f1": "harmonic mean of refusal precision and recall",
    "ece": "expected calibration error of the answers given (Guo et al. 2017)",
    "p50 ms": "median time of an answer",
    "p95 ms": "time that 95 % of the answers stay below",
}
MEANINGS = {measure.name: measure.meaning for measure in MEASURES} | _EXTRA


def cell(value: Any) -> str:
    """`0.81 [0.74, 0.87]` for a figure with its interval, the plain figure otherwise."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return f"{value[0]:.2f} [{value[1]:.2f}, {value[2]:.2f}]"
    return f"{value:.0f}" if value > 1.5 else f"{value:.3f}"


def _headline(summary: dict[str, Any]) -> tuple[list[str], list[tuple[str, str, list[str]]]]:
    columns = {name: group for name, group in _COLUMNS.items() if group in summary["groups"]}
    rows = []
    for name, meaning in MEANINGS.items():
        cells = [cell(summary["groups"][group].get(name)) for group in columns.values()]
        if set(cells) != {"–"}:
            rows.append((name, meaning, cells))
    return list(columns), rows


def headline_table(run: Run) -> Table:
    """The figures of a run with their 95 % intervals."""
    columns, rows = _headline(run.summary)
    table = Table("", *columns, title=f"{run.summary['about']['set']} · {run.summary['about']['engine']}")
    for name, _, cells in rows:
        table.add_row(name, *cells)
    return table


def difference_table(found: Sequence[Difference]) -> Table:
    """What changed against another run, with the interval of the change."""
    table = Table("", "before", "after", "change [95 %]")
    for entry in found:
        change = entry.change
        sure = "" if change.low <= 0 <= change.high else " *"
        interval = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]{sure}"
        table.add_row(entry.name, f"{entry.before:.3f}", f"{entry.after:.3f}", interval)
    return table


def write_report(run: Run, earlier: Run | None = None, lang: Language = "en") -> Path:
    """Write `report.html` into the run's folder, or in Dutch `report-nl.html`."""
    say = wording(lang)
    groups = run.summary["groups"]
    everything = groups["all"]
    columns, rows = _headline(run.summary)
    better, worse = flips(earlier.rows, run.rows) if earlier else ([], [])
    environment = Environment(
        loader=PackageLoader("evals"), autoescape=select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("report.html").render(
        say=say,
        lang=lang,
        about=run.summary["about"],
        columns=columns,
        headline=rows,
        tags_plot=plots.by_tag(_by_tag(groups), say),
        reliability_plot=plots.reliability(everything["reliability"], say),
        latency_plot=plots.latency(
            [row.result.milliseconds for row in run.rows],
            {"p50": everything["p50 ms"], "p95": everything["p95 ms"]},
            say,
        ),
        tags=_tag_rows(groups),
        questions=[_question(row) for row in run.rows],
        earlier=str(earlier.folder.name) if earlier else None,
        differences=differences(earlier.rows, run.rows) if earlier else [],
        flips_plot=plots.flips(_tags(better), _tags(worse), say) if better or worse else "",
        better=[row.question for row in better],
        worse=[row.question for row in worse],
    )
    path = run.folder / ("report.html" if lang == "en" else f"report-{lang}.html")
    path.write_text(page, encoding="utf-8")
    return path


def _tags(rows: Sequence[Row]) -> Counter[str]:
    return Counter(tag for row in rows for tag in row.question.tags)


def _by_tag(groups: dict[str, dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """For the plot: the right quote, and where a tag is about refusals the refusals."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, figures in groups.items():
        if name.startswith("tag:"):
            entry: dict[str, list[float]] = {k: figures[k][:3] for k in ("right quote", "refused") if k in figures}
            found[f"{name.removeprefix('tag:')} ({figures['questions']})"] = entry
    return found


def _tag_rows(groups: dict[str, dict[str, Any]]) -> list[tuple[str, int, list[str]]]:
    names = ("success@1", "right quote", "facts", "refused", "false refusals")
    return [
        (name.removeprefix("tag:"), figures["questions"], [cell(figures.get(n)) for n in names])
        for name, figures in groups.items()
        if name.startswith("tag:")
    ]


def _question(row: Row) -> dict[str, Any]:
    question, result = row.question, row.result
    if question.answerable:
        outcome = "refused" if result.abstained else ("right" if is_right(row) else "wrong")
    else:
        outcome = "right" if result.abstained else "invented"
    return {
        "row": row,
        "outcome": outcome,
        "passages": [
            (text, score, question.answerable and question.evidence_in(text))
            for text, score in zip(result.passages, result.scores, strict=True)
        ],
        "quotes": [(quote, question.answerable and question.evidence_in(quote)) for quote in result.quotes],
    }
