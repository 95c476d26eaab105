"""Chooses the sentences around one that a reader needs to understand it.

Knows nothing of documents: it counts words.
"""

from collections.abc import Sequence

__all__ = ["WINDOW_WORDS", "window"]

WINDOW_WORDS = 64
"""As much as is read together with a question: a sentence and its neighbours. Twice as much took
twice as long, and the words far from a sentence seldom decide whether it answers."""


def window(lengths: Sequence[int], middle: int, words: int = WINDOW_WORDS) -> tuple[int, int]:
    """First and past-the-last sentence of the stretch around `middle` that has at most `words` words.

    It grows by a sentence before and one after in turn; `middle` itself is always in it.

    >>> window([10, 10, 10, 10], 2, words=30)
    (1, 4)
    """
    first, last, left = middle, middle + 1, words - lengths[middle]
    while True:
        before = first > 0 and lengths[first - 1] <= left
        if before:
            first -= 1
            left -= lengths[first]
        after = last < len(lengths) and lengths[last] <= left
        if after:
            left -= lengths[last]
            last += 1
        if not before and not after:
            return first, last
