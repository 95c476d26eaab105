"""Turns an error into a sentence for the user, in both languages, and a line in the log for the operator.

Knows nothing of where it is shown. What an error says of itself is given in its own words; where it
has none in Dutch, the Dutch sentence says of what kind it is, and gives the English.
"""

import logging

from index.errors import DocumentError, FicheError, IndexStateError, ModelError, QuestionError
from rag.language import Language
from rag.question import MAX_QUESTION_CHARS
from ui.web.causes import in_dutch
from ui.web.markup import visible
from ui.web.words import word

__all__ = ["sentence"]

_log = logging.getLogger(__name__)
_KINDS: tuple[tuple[type[FicheError], str], ...] = (
    (DocumentError, "trouble_document"),
    (IndexStateError, "trouble_index"),
    (ModelError, "trouble_model"),
)


def sentence(error: BaseException, question: str = "") -> dict[Language, str]:
    """What a user is told of an error, Dutch and English.

    Args:
        error: whatever was raised.
        question: the question that was asked, where it was one.
    """
    if isinstance(error, QuestionError) and not error.dutch:
        if len(question) > MAX_QUESTION_CHARS:
            nl, en = (f"{MAX_QUESTION_CHARS:,}".replace(",", mark) for mark in ".,")
            return {"nl": word("question_long", "nl", most=nl), "en": word("question_long", "en", most=en)}
        return _both("question_empty")
    if isinstance(error, FicheError):
        _log.warning("%s", error)
        dutch = error.dutch or in_dutch(str(error))
        return {
            "nl": word("refused_input", "nl", reason=visible(dutch)) if dutch else _of_its_kind(error),
            "en": word("refused_input", "en", reason=visible(str(error))),
        }
    _log.error("unexpected error", exc_info=error)
    return _both("failed")


def _of_its_kind(error: FicheError) -> str:
    key = next((key for kind, key in _KINDS if isinstance(error, kind)), "trouble")
    return word(key, "nl", reason=visible(str(error)))


def _both(key: str) -> dict[Language, str]:
    return {"nl": word(key, "nl"), "en": word(key, "en")}
