"""Says what flipped between two runs of the same questions, and how sure the difference is.

Knows nothing of how runs are made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.intervals import Estimate
from evals.measures import MEASURES, Row, estimate, is_right

__all__ = ["Difference", "differences", "flips"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in both runs, over the questions that both asked, and the later minus the earlier."""

    name: str
    before: float
    after: float
    change: Estimate


def _paired(before: Sequence[Row], after: Sequence[Row]) -> dict[str, tuple[Row, Row]]:
    earlier = {row.question.id: row for row in before}
    return {row.question.id: (earlier[row.question.id], row) for row in after if row.question.id in earlier}


def flips(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of `after` that became right, and those that became wrong."""
    pairs = _paired(before, after).values()
    better = [new for old, new in pairs if is_right(new) and not is_right(old)]
    worse = [new for old, new in pairs if is_right(old) and not is_right(new)]
    return better, worse


def differences(before: Sequence[Row], after: Sequence[Row]) -> list[Difference]:
    """Each measure's change with the paired bootstrap interval of the change, over pairs."""
    pairs = _paired(before, after)
    rows = [new for _, new in pairs.values()]
    found = []
    for measure in MEASURES:
        change = estimate(rows, _change(measure.of, pairs))
        old = estimate([old for old, _ in pairs.values()], measure.of)
        new = estimate(rows, measure.of)
        if change and old and new:
            found.append(Difference(measure.name, old.value, new.value, change))
    return found


def _change(of: Callable[[Row], float | None], pairs: dict[str, tuple[Row, Row]]) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        old, new = (of(entry) for entry in pairs[row.question.id])
        return None if old is None or new is None else new - old

    return value
