"""Turns values into a figure with its 95 % interval; knows nothing of what they measure.

Intervals are percentile bootstraps over groups (Efron & Tibshirani, "An Introduction to the Bootstrap",
1993), so that a question and its translation, which are not independent, are drawn together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Estimate", "bootstrap", "percentile"]

_RESAMPLES = 1000
_SEED = 20240124


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval and the number of questions behind it."""

    value: float
    low: float
    high: float
    count: int


def bootstrap(groups: Sequence[Sequence[float]]) -> Estimate:
    """The mean over all values, and its percentile interval when groups are drawn with replacement."""
    sums = np.array([sum(values) for values in groups])
    counts = np.array([len(values) for values in groups])
    drawn = np.random.default_rng(_SEED).integers(0, len(sums), (_RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(sums.sum() / counts.sum()), float(low), float(high), int(counts.sum()))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
