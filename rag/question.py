"""Turns what a user typed into a question that can be asked, and its vectors into those of words.

Knows nothing of answers.
"""

import re

import numpy as np

from index.encoder import Encoded
from index.errors import QuestionError
from index.pages import normalise

__all__ = ["MAX_QUESTION_CHARS", "clean_question", "content_tokens"]

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


def content_tokens(encoded: Encoded, text: str) -> np.ndarray:
    """Token vectors of a text without those of bare punctuation: float32, shape `(n_tokens, dim)`."""
    worded = [bool(re.search(r"\w", text[a:b])) for a, b in encoded.offsets]
    return encoded.tokens[worded] if any(worded) else encoded.tokens
