"""Runs one long task at a time beside the page, and tells its owner how far it is; knows nothing of the task."""

import threading
from collections.abc import Callable
from typing import Any

from index.errors import FicheError
from index.snapshot import Progress
from ui.web.trouble import sentence

__all__ = ["Jobs"]


class _StoppedError(Exception):
    """The user stopped the task."""


class Jobs:
    """The task that runs now, and the one of each user that ran last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._running: str | None = None
        """Whose task runs."""
        self._states: dict[str, dict[str, Any]] = {}

    def start(self, kind: str, task: Callable[[Progress], Any], owner: str = "") -> dict[str, Any]:
        """Begin a task of a user's.

        Raises:
            FicheError: another is running, whosever it is.
        """
        with self._lock:
            if self._running is not None:
                raise FicheError(
                    "another task is running: wait until it has ended",
                    "er loopt al een andere taak. Wacht tot die klaar is.",
                )
            self._stop.clear()
            self._running = owner
            self._states[owner] = _state(kind, running=True)
        threading.Thread(target=self._run, args=(task, owner), name=f"fiche-{kind}", daemon=True).start()
        return self.state(owner)

    def stop(self, owner: str = "") -> dict[str, Any]:
        """Ask the task to stop at its next step, if it is the owner's."""
        with self._lock:
            if self._running == owner:
                self._stop.set()
        return self.state(owner)

    def state(self, owner: str = "") -> dict[str, Any]:
        """The owner's last task: `kind`, `running`, `done`, `total`, at its end `result` or `error` in both languages.

        Of anybody else's only that one runs: `busy`.
        """
        with self._lock:
            return {**self._states.get(owner, _state("", running=False)), "busy": self._running is not None}

    def _run(self, task: Callable[[Progress], Any], owner: str) -> None:
        try:
            self._end(owner, result=task(lambda done, total: self._progress(owner, done, total)))
        except _StoppedError:
            self._end(owner)
        except Exception as error:
            self._end(owner, error=sentence(error))

    def _progress(self, owner: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        with self._lock:
            self._states[owner] |= {"done": done, "total": total}

    def _end(self, owner: str, **outcome: Any) -> None:
        with self._lock:
            self._states[owner] |= {"running": False, **outcome}
            self._running = None


def _state(kind: str, *, running: bool) -> dict[str, Any]:
    return {"kind": kind, "running": running, "done": 0, "total": 0, "result": None}
