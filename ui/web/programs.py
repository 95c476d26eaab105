"""What other programs may ask for: `ask`, `retrieve` and `document`, each giving what `--json` gives.

Knows nothing of how a program reaches them: Gradio's endpoints and the tools for assistants are made
of these same three functions, whose docstrings and types are what both show to whoever calls them.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, get_args

from index.errors import DocumentError, InputError
from index.records import Document
from rag.engine import Engine
from rag.language import Language
from rag.retriever import TOP
from rag.scope import Scope, read_scope
from ui.web.trouble import sentence

__all__ = ["functions", "told_as"]

Function = Callable[..., dict[str, Any]]


def functions(engine: Engine) -> dict[str, Function]:
    """The three functions by name, over whatever index is current when they are called."""
    return {"ask": _asking(engine), "retrieve": _retrieving(engine), "document": _reading(engine)}


def _asking(engine: Engine) -> Function:
    def ask(
        question: str,
        lang: Literal["auto", "nl", "en"] = "auto",
        document: str = "",
        since: str = "",
        until: str = "",
        ministry: str = "",
    ) -> dict[str, Any]:
        """Answer a question about the indexed documents by quoting them, or refuse.

        Args:
            question: the question, in Dutch or English.
            lang: its language; "auto" finds it out.
            document: the name of the only document to ask, or several with commas between; empty asks all.
            since: ask documents of this day and later, as in "2024-01-31".
            until: ask documents of this day and before.
            ministry: ask documents of a ministry with these words in its name.

        Returns:
            The object that `fiche ask --json` prints.
        """
        scope = _scope(document, since, until, ministry)
        return engine.ask(question, _known(lang), scope=scope).to_json()

    return ask


def _retrieving(engine: Engine) -> Function:
    def retrieve(
        question: str,
        lang: Literal["auto", "nl", "en"] = "auto",
        top: int = TOP,
        document: str = "",
        since: str = "",
        until: str = "",
        ministry: str = "",
    ) -> dict[str, Any]:
        """Find the passages that a question is about, best first, without answering it.

        Args:
            question: the question, in Dutch or English.
            lang: its language; "auto" finds it out.
            top: how many passages, 1 to 10.
            document: the name of the only document to search, or several with commas between; empty searches all.
            since: search documents of this day and later, as in "2024-01-31".
            until: search documents of this day and before.
            ministry: search documents of a ministry with these words in its name.

        Returns:
            `question`, `lang`, and `passages` as in what `fiche ask --json` prints.
        """
        scope = _scope(document, since, until, ministry)
        got = engine.retrieve(question, _known(lang), _number(top), scope)
        return {"question": question, "lang": got.lang, "passages": [hit.to_json() for hit in got.hits]}

    return retrieve


def _reading(engine: Engine) -> Function:
    def document(name: str) -> dict[str, Any]:
        """Give the clean text of a document, with its sections and pages; offsets of citations point into it.

        Args:
            name: the document's name, as in "kst-22112-3908".

        Returns:
            `id`, `title`, `pages`, `metadata`, `sections` (id, title, page, start) and `text`.
        """
        return _whole(_named(name, engine.snapshot.documents))

    return document


def _known(lang: Any) -> Literal[Language, "auto"]:
    """The language, for a program may send anything in its place."""
    if lang not in ("auto", *get_args(Language)):
        raise InputError("lang is none that fiche knows: send auto, nl or en", "lang moet auto, nl of en zijn.")
    known: Literal[Language, "auto"] = lang
    return known


def _scope(document: Any, since: Any, until: Any, ministry: Any) -> Scope:
    """The filter, likewise."""
    given = {"document": document, "since": since, "until": until, "ministry": ministry}
    for name, value in given.items():
        if not isinstance(value, str):
            raise InputError(f"{name} is no text: send a string", f"{name} is geen tekst. Stuur een string.")
    return read_scope(document.split(","), since, until, ministry)


def _number(top: Any) -> int:
    """How many passages, likewise."""
    if not isinstance(top, int | float):
        raise InputError(f"top is no number: send 1 to {TOP}", f"top is geen getal. Stuur 1 tot en met {TOP}.")
    return int(max(1, min(TOP, top)))


def _named(name: Any, documents: Mapping[str, Document]) -> Document:
    if not isinstance(name, str) or name not in documents:
        name, held = str(name)[:80], ", ".join(sorted(documents))
        raise DocumentError(
            f"no document {name!r} in the index: it holds {held}",
            f"er staat geen document „{name}” in de index; wel: {held}.",
        )
    return documents[name]


def _whole(document: Document) -> dict[str, Any]:
    sections = [
        {"id": s.id, "title": s.title, "page": document.page_at(s.start), "start": s.start} for s in document.sections
    ]
    return {
        "id": document.id,
        "title": document.title,
        "pages": document.pages,
        "metadata": dict(document.metadata),
        "sections": sections,
        "text": document.text,
    }


def told_as(failure: Callable[[str], Exception], function: Function) -> Function:
    """`function`, whose errors are raised as `failure` of a sentence for whoever called it; the log has the rest."""

    @wraps(function)
    def call(*given: Any, **named: Any) -> dict[str, Any]:
        try:
            return function(*given, **named)
        except Exception as error:
            asked = next(iter((*given, *named.values())), "")
            raise failure(sentence(error, str(asked))["en"]) from None

    return call
