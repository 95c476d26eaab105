"""Keeps what users thought of answers, as lines of an evaluation set; knows nothing of pages.

One file of each user, in the format of every evaluation set, so that `fiche eval` runs it. A
line whose right sentence nobody picked yet is kept too: it is listed as incomplete until it has one.
"""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from index.errors import InputError
from index.records import Document

__all__ = ["Feedback", "Verdict"]

Verdict = Literal["good", "good_refusal", "wrong_passage", "wrong_answer", "should_refuse", "should_answer"]
_MOST_LINES = 5_000
_MOST_CHARS = 4_000
"""Of a question or a sentence; a longer one is no feedback."""


class Feedback:
    """The lines of `feedback.jsonl`, oldest first."""

    def __init__(self, folder: Path, documents: Callable[[], Mapping[str, Document]]) -> None:
        self.path = folder / "feedback.jsonl"
        self._documents = documents
        self._lock = threading.Lock()

    def lines(self) -> list[dict[str, Any]]:
        """Every line, with `complete`: whether `fiche eval` can ask it."""
        return [{**line, "complete": _is_complete(line)} for line in self._read()]

    def add(self, question: str, lang: str, verdict: str, quotes: list[str], document: str) -> dict[str, Any]:
        """Keep a verdict on an answer.

        Args:
            question: as it was asked.
            lang: its language.
            verdict: what the user said, one of `Verdict`.
            quotes: verbatim words that answer it; those that no document holds are left out.
            document: the id of the document that holds them.

        Raises:
            InputError: the verdict is none, the text is too long, or there are too many lines.
        """
        if verdict not in get_args(Verdict) or lang not in ("nl", "en"):
            raise InputError(
                "this is no feedback: reload the page and try again",
                "dit is geen oordeel over een antwoord. Laad de pagina opnieuw en probeer het nog eens.",
            )
        line = {
            "id": f"feedback_{secrets.token_hex(4)}-{lang}",
            **self._checked(
                question, answerable=verdict not in ("good_refusal", "should_refuse"), quotes=quotes, document=document
            ),
            "lang": lang,
            "tags": ["feedback", verdict],
        }
        with self._lock:
            lines = self._read()
            if len(lines) >= _MOST_LINES:
                raise InputError(
                    f"{self.path} is full: remove lines, or move the file away",
                    f"{self.path} is vol. Verwijder regels, of verplaats het bestand.",
                )
            self._write([*lines, line])
        return line

    def change(self, identity: str, question: str, *, answerable: bool, quotes: list[str]) -> None:
        """Put another question, answerability or evidence in the place of a line's.

        Raises:
            InputError: there is no such line, the text is too long, or the words stand in no document.
        """
        with self._lock:
            lines = self._read()
            line = next((line for line in lines if line["id"] == identity), None)
            if line is None:
                raise InputError(
                    "this line is gone: reload the page", "deze regel is er niet meer. Laad de pagina opnieuw."
                )
            checked = self._checked(question, answerable=answerable, quotes=quotes, document=line["document"])
            if answerable and len(checked["evidence"]) < len(quotes):
                raise InputError(
                    "the sentence is not in the document word for word: copy it from there",
                    "deze zin staat niet letterlijk in het document. Kopieer hem daaruit.",
                )
            line.update(checked)
            self._write(lines)

    def remove(self, identity: str) -> None:
        """Delete a line."""
        with self._lock:
            self._write([line for line in self._read() if line["id"] != identity])

    def _checked(self, question: str, *, answerable: bool, quotes: list[str], document: str) -> dict[str, Any]:
        if not question.strip() or max(map(len, (question, *quotes))) > _MOST_CHARS:
            raise InputError(
                f"a question and a sentence have between 1 and {_MOST_CHARS} characters",
                f"een vraag en een zin hebben minstens 1 en hoogstens {_MOST_CHARS} tekens.",
            )
        documents = self._documents()
        found = documents.get(document) or next(iter(documents.values()))
        evidence = [quote for quote in quotes if quote and quote in found.text] if answerable else []
        return {"question": question, "answerable": answerable, "evidence": evidence, "facts": [], "document": found.id}

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        found = []
        for raw in self.path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict) and {"id", "question", "answerable"} <= set(line):
                found.append(line)
        return found

    def _write(self, lines: list[dict[str, Any]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".partial")
        beside.touch(mode=0o600)
        beside.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        beside.replace(self.path)


def _is_complete(line: Mapping[str, Any]) -> bool:
    return not line["answerable"] or bool(line.get("evidence"))
