"""Turns what a user typed into a question that can be asked; knows nothing of answers."""

import re

from index.errors import QuestionError
from index.pages import normalise

__all__ = ["MAX_QUESTION_CHARS", "clean_question"]

MAX_QUESTION_CHARS = 2_000
"""Some 300 words: more than the model reads at once, and far more than a question needs."""


def clean_question(raw: object) -> str:
    """`raw` without control characters, escapes and direction marks, spaces folded.

    Raises:
        QuestionError: nothing is left to ask, it is no text, or it is too long.
    """
    if not isinstance(raw, str):  # what a program sent
        raise QuestionError("the question is no text: send a string", "de vraag is geen tekst. Stuur een tekenreeks.")
    if len(raw) > MAX_QUESTION_CHARS:
        raise QuestionError(
            f"the question has {len(raw):,} characters, more than {MAX_QUESTION_CHARS:,}: ask it in fewer words"
        )
    if "\0" in raw or any("\ud800" <= char <= "\udfff" for char in raw):
        raise QuestionError("the question is not text: type it in words, as UTF-8")
    question = " ".join(normalise(raw).replace("\f", " ").split())
    if not re.search(r"\w", question):
        raise QuestionError('the question is empty: ask something, as in fiche ask "Welk ministerie gaat hierover?"')
    return question
