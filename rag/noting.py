"""An answer → a line for the log: its figures; its words apart, for a log that was asked to hold them.

Knows nothing of how a log is written. A record carries `fields`, which are safe to keep, and `words`,
which are not; `ui.log` decides what becomes of the second.
"""

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from index.errors import QuestionError
from rag.records import Answer

__all__ = ["noted"]

_log = logging.getLogger(__name__)
P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


def noted(stream: Callable[Concatenate[S, str, P], Iterator[T]]) -> Callable[Concatenate[S, str, P], Iterator[T]]:
    """A method that gives an answer step by step, and notes that it did, or that the question cannot be asked."""

    @wraps(stream)
    def call(self: S, question: str, *given: P.args, **named: P.kwargs) -> Iterator[T]:
        try:
            for step in stream(self, question, *given, **named):
                if isinstance(step, Answer):
                    _log.info("answered", extra={"fields": _fields(step), "words": {"question": question}})
                yield step
        except QuestionError:
            _log.info("not asked", extra={"fields": {"chars": len(str(question))}})
            raise

    return cast("Callable[Concatenate[S, str, P], Iterator[T]]", call)


def _fields(answer: Answer) -> dict[str, Any]:
    return {
        "chars": len(answer.question),
        "lang": answer.lang,
        "mode": answer.mode,
        "refused": answer.abstained,
        "confidence": round(answer.confidence, 3),
        "citations": len(answer.citations),
        "ms": round(answer.timings_ms.get("total", 0.0), 1),
    }
