"""Log records → lines on standard error, for people or for programs, without the words of questions.

Knows nothing of what is logged. `FICHE_LOG` says how: unset, warnings are one line for people; with
`events` everything that happened is one JSON object a line; with `questions` the same, and the words
that people typed are in it. Without that a line holds nothing that could be a question: of an error
its kind and where it came from, of another library's message only whose it is and where it stands.
"""

import json
import logging
import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

__all__ = ["LineFormatter", "Mode", "set_up"]

Mode = Literal["off", "events", "questions"]
_OWN = ("index", "rag", "ui", "evals", "uvicorn", "__main__")
"""Loggers whose messages hold no words of a question: fiche's, and the server's."""
_FRAMES = 5


class LineFormatter(logging.Formatter):
    """One line a record."""

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        self._mode = mode

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line for people, or as a JSON object."""
        fields = self._fields(record)
        if self._mode != "off":
            return json.dumps(fields, ensure_ascii=False, default=str)
        told = " ".join(str(fields["event"]).split())
        if "error" in fields:
            told += f" ({fields['error']}; {' < '.join(fields['where'])})"
        return f"fiche: {told}"

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        open_ = self._mode == "questions"
        own = record.name.split(".")[0] in _OWN
        place = f"{Path(record.pathname).name}:{record.lineno}"
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if own or open_ else f"a message of {record.name} ({place})",
            **getattr(record, "fields", {}),
        }
        if open_:
            fields |= getattr(record, "words", {})
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
            fields["error"] = f"{type(error).__name__}: {error}" if open_ else type(error).__name__
            fields["where"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames)]
        return fields


def set_up() -> None:
    """Log to standard error as `FICHE_LOG` says; a value that is none counts as unset until settings are read."""
    asked = os.environ.get("FICHE_LOG", "off")
    mode: Mode = cast("Mode", asked) if asked in get_args(Mode) else "off"
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(mode))
    logging.raiseExceptions = False  # a reader of the log who has gone stops nothing
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("index", "rag", "ui", "evals"):
        logging.getLogger(name).setLevel(logging.WARNING if mode == "off" else logging.INFO)
