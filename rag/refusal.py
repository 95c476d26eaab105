"""Says in plain terms why what came nearest was not enough for an answer.

Knows nothing of screens: it gives the kind of a reason, and the words that belong in it.
"""

from collections.abc import Mapping, Sequence

from index.records import Language
from index.snapshot import Snapshot
from rag.confidence import Calibration, unknown_names
from rag.kinds import expected_kinds, holds
from rag.records import Hit, Reason

__all__ = ["why_refused"]


def why_refused(
    question: str,
    lang: Language,
    signals: Mapping[str, float],
    calibration: Calibration,
    snapshot: Snapshot,
    hits: Sequence[Hit],
) -> tuple[Reason, ...]:
    """The reasons that a reader can check, most telling first; at least one.

    >>> why_refused("Wat vindt Rotterdam?", "nl", …)
    (Reason("names", ("Rotterdam",)),)
    """
    found: list[Reason] = []
    if names := unknown_names(question, lang, snapshot):
        found.append(Reason("names", tuple(dict.fromkeys(names))))
    kinds = sorted(expected_kinds(question))
    if hits and kinds and not any(holds(hits[0].text, kind) for kind in kinds):
        found.append(Reason("kind", tuple(kinds)))
    if signals["top_sentence"] < calibration.floor:
        found.append(Reason("far"))
    return tuple(found) or (Reason("topic"),)
