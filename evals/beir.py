"""Reads a retrieval set in the format of BEIR: corpus.jsonl, queries.jsonl and qrels/*.tsv.

Knows nothing of retrieval. Thakur et al., "BEIR", NeurIPS Datasets and Benchmarks 2021.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError

__all__ = ["BeirSet", "read_beir"]


@dataclass(frozen=True, slots=True)
class BeirSet:
    """Passages (id, title, text), questions by id, and the relevance of passages by question."""

    passages: list[tuple[str, str, str]]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_beir(folder: Path, limit: int | None = None) -> BeirSet:
    """The set in `folder`; with `limit`, its first so many questions and the whole corpus.

    Raises:
        InputError: a file is missing or a line in it is broken.
    """
    passages = [
        (str(entry["_id"]), str(entry.get("title") or ""), str(entry["text"]))
        for entry in _entries(folder / "corpus.jsonl", ("_id", "text"))
    ]
    queries = {str(e["_id"]): str(e["text"]) for e in _entries(folder / "queries.jsonl", ("_id", "text"))}
    qrels = _qrels(folder)
    kept = [key for key in queries if any(score > 0 for score in qrels.get(key, {}).values())][:limit]
    if not passages or not kept:
        raise InputError(f"{folder} has no question with a relevant passage: check corpus, queries and qrels")
    return BeirSet(passages, {key: queries[key] for key in kept}, {key: qrels[key] for key in kept})


def _entries(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): a BEIR set needs it, as UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            missing = [key for key in needed if key not in entry]
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}, line {number}, is no JSON object ({error}): mend that line") from error
        if missing:
            raise InputError(f"{path}, line {number}, lacks {', '.join(missing)}: mend that line")
        yield entry


def _qrels(folder: Path) -> dict[str, dict[str, int]]:
    """Relevance by question, of `test.tsv` if there is one, else of every file."""
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise InputError(f"no qrels/*.tsv in {folder}: a BEIR set needs one")
    found: dict[str, dict[str, int]] = {}
    for path in [f for f in files if f.stem == "test"] or files:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter="\t"), 1):
                if number == 1 and row[-1:] and not row[-1].strip().lstrip("-").isdigit():
                    continue  # the heading
                if not row:
                    continue
                try:
                    query, *_, passage, score = row if len(row) != 4 else (row[0], row[2], row[3])
                    found.setdefault(query, {})[passage] = int(score)
                except ValueError as error:
                    raise InputError(f"{path}, line {number}, is no 'query, passage, score': mend that line") from error
    return found
