"""Holds a summary against floors and ceilings, so that a build fails when quality falls.

    [[gate]]
    group = "split:test lang:nl"
    measure = "success@1"
    floor = 0.75

Knows nothing of how the figures came about.
"""

import tomllib
from pathlib import Path
from typing import Any

from index.errors import InputError

__all__ = ["broken_gates"]


def broken_gates(path: Path, groups: dict[str, dict[str, Any]]) -> list[str]:
    """One sentence for each gate of the file that the figures break; a missing figure breaks its gate.

    Raises:
        InputError: the file cannot be read, or a gate in it makes no sense.
    """
    try:
        gates = tomllib.loads(path.read_text(encoding="utf-8"))["gate"]
    except (OSError, tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"no gates in {path} ({error}): write [[gate]] entries with group, measure and floor"
        ) from error
    broken = []
    for number, gate in enumerate(gates, 1):
        try:
            group, measure = str(gate["group"]), str(gate["measure"])
            floor, ceiling = float(gate.get("floor", "-inf")), float(gate.get("ceiling", "inf"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"gate {number} of {path} is incomplete ({error}): give group, measure, floor") from error
        found = groups.get(group, {}).get(measure)
        if found is None:
            broken.append(f"{measure} of {group} was not measured")
            continue
        value = float(found[0] if isinstance(found, list) else found)
        if value < floor:
            broken.append(f"{measure} of {group} is {value:.3f}, below its floor of {floor:g}")
        if value > ceiling:
            broken.append(f"{measure} of {group} is {value:.3f}, above its ceiling of {ceiling:g}")
    return broken
