"""Proves that a set is sound: evidence verbatim, pairs complete, nothing twice, every section covered.

    python -m evals.check SET

Knows nothing of how questions are answered.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evals.sets import Problem, Question, read_set
from index.build import shipped_document
from index.records import Document

__all__ = ["faults"]


def faults(questions: Sequence[Question], problems: Sequence[Problem], document: Document) -> list[str]:
    """One sentence for each fault of a set over one document."""
    found = [f"line {problem.line}: {problem.reason}" for problem in problems]
    for question in questions:
        found += _faults_of(question, document)
    languages: dict[str, set[str]] = {}
    for question in questions:
        languages.setdefault(question.pair, set()).add(question.lang)
    found += [f"{pair}: only in {', '.join(have)}" for pair, have in languages.items() if have != {"nl", "en"}]
    asked = Counter((q.lang, " ".join(q.question.lower().split())) for q in questions)
    found += [f"asked {count} times: {text}" for (_, text), count in asked.items() if count > 1]
    return found + _uncovered(questions, document)


def _faults_of(question: Question, document: Document) -> list[str]:
    found = [f"{question.id}: not in the document: {e!r}" for e in question.evidence if e not in document.text]
    if question.answerable and not found:
        units = [document.text[s.start : s.end] for p in document.passages for s in p.sentences]
        found += [
            f"{question.id}: within no single sentence: {piece!r}"
            for piece in question.evidence
            if not any(piece in unit for unit in units)
        ]
    if not question.answerable and (question.evidence or question.facts):
        found.append(f"{question.id}: unanswerable, yet with evidence or facts")
    if not question.tags:
        found.append(f"{question.id}: no tags")
    return found


def _uncovered(questions: Sequence[Question], document: Document) -> list[str]:
    """Sections and footnotes that no evidence comes from."""
    pieces = {piece for question in questions for piece in question.evidence}
    asked = {
        (p.section, p.kind == "footnote")
        for p in document.passages
        if any(piece in document.text[p.start : p.end] for piece in pieces)
    }
    wanted = {(p.section, p.kind == "footnote") for p in document.passages if p.section}
    return [
        f"nothing asks about {'footnotes of ' if note else ''}{section}" for section, note in sorted(wanted - asked)
    ]


def main(path: Annotated[Path, typer.Argument(metavar="SET")]) -> None:
    """Check a set over the fiche that comes with the program; exit status 1 where it has faults."""
    questions, problems = read_set(path)
    found = faults(questions, problems, shipped_document())
    for fault in found:
        print(fault)
    pairs = {q.pair for q in questions if q.answerable}
    none = {q.pair for q in questions if not q.answerable}
    print(f"{path.name}: {len(pairs)} answerable and {len(none)} unanswerable pairs, {len(found)} faults")
    raise typer.Exit(1 if found else 0)


if __name__ == "__main__":
    typer.run(main)
