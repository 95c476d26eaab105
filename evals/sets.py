"""Reads evaluation sets: JSON Lines, one question a line, as `formats.md` of the project fixes it.

Knows nothing of how questions are answered. A broken line is reported with its number and does
not lose the rest.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from index.errors import InputError
from rag.language import Language

__all__ = ["Problem", "Question", "Split", "read_set", "split_of"]

Split = Literal["dev", "test"]
_DEV_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set, with what makes an answer right."""

    id: str
    question: str
    lang: Language
    answerable: bool
    evidence: tuple[str, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    document: str = ""
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def pair(self) -> str:
        """What a question shares with its wording in the other language: `altedic_members`."""
        return self.id.removesuffix(f"-{self.lang}")

    @property
    def history(self) -> tuple[str, ...]:
        """The questions asked before it in the same conversation, oldest first."""
        before = self.extra.get("history")
        return tuple(asked for asked in before if isinstance(asked, str)) if isinstance(before, list) else ()

    @property
    def split(self) -> Split:
        """The part of the set that its pair belongs to."""
        return split_of(self.pair)

    def evidence_in(self, text: str) -> bool:
        """Whether `text` contains a piece of evidence."""
        return any(piece in text for piece in self.evidence)

    def facts_in(self, text: str) -> bool:
        """Whether all facts are in `text`, each as one of its alternatives, ignoring case."""
        lowered = text.lower()
        return all(any(alternative.lower() in lowered for alternative in fact) for fact in self.facts)


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of a set that cannot be used, and why."""

    line: int
    reason: str


def split_of(pair: str) -> Split:
    """`dev` for two pairs in five, `test` for the others; decided by the pair's name alone, for good."""
    first = int.from_bytes(hashlib.sha256(pair.encode()).digest()[:4], "big")
    return "dev" if first < _DEV_SHARE * 2**32 else "test"


def read_set(path: Path) -> tuple[list[Question], list[Problem]]:
    """The questions of a set in order, and its broken lines.

    Raises:
        InputError: the file cannot be read at all.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"no set at {path} ({error.strerror}): name an existing JSON Lines file") from error
    return parse_lines(lines)


def parse_lines(lines: Iterable[bytes]) -> tuple[list[Question], list[Problem]]:
    """As `read_set`, from the lines themselves."""
    questions: list[Question] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            question = _parse(json.loads(raw.decode("utf-8-sig")))
            if question.id in seen:
                raise ValueError(f"the id {question.id!r} comes twice")
            seen.add(question.id)
            questions.append(question)
        except RecursionError:
            problems.append(Problem(number, "its parts lie too deep within each other"))
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(Problem(number, reason))
    return questions, problems


def _parse(fields: Any) -> Question:
    if not isinstance(fields, dict):
        raise TypeError("the line is no JSON object")
    text, lang, answerable = fields["question"], fields["lang"], fields["answerable"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("the question is empty")
    if lang not in ("nl", "en"):
        raise ValueError(f"the language is {lang!r}, not 'nl' or 'en'")
    if not isinstance(answerable, bool):
        raise TypeError(f"answerable is {answerable!r}, not true or false")
    evidence = tuple(_strings(fields.get("evidence", []), "evidence"))
    if answerable and not evidence:
        raise ValueError("an answerable question needs evidence")
    facts = fields.get("facts", [])
    if not isinstance(facts, list):
        raise TypeError("facts is no list")
    known = {"id", "question", "lang", "answerable", "evidence", "facts", "document", "tags"}
    return Question(
        id=str(fields["id"]),
        question=text,
        lang=lang,
        answerable=answerable,
        evidence=evidence,
        facts=tuple(tuple(_strings(fact, "facts")) for fact in facts),
        document=str(fields.get("document", "")),
        tags=tuple(_strings(fields.get("tags", []), "tags")),
        extra={key: value for key, value in fields.items() if key not in known},
    )


def _strings(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{name} is no list of strings")
    return value
