"""Runs one long task at a time beside the page, and says how far it is; knows nothing of the task."""

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
    """The task that runs now, or the one that ran last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._state: dict[str, Any] = {"kind": "", "running": False, "done": 0, "total": 0, "result": None}

    def start(self, kind: str, task: Callable[[Progress], Any]) -> dict[str, Any]:
        """Begin a task.

        Raises:
            FicheError: another is running.
        """
        with self._lock:
            if self._state["running"]:
                raise FicheError(
                    "another task is running: wait until it has ended",
                    "er loopt al een andere taak. Wacht tot die klaar is.",
                )
            self._stop.clear()
            self._state = {"kind": kind, "running": True, "done": 0, "total": 0, "result": None}
        threading.Thread(target=self._run, args=(task,), name=f"fiche-{kind}", daemon=True).start()
        return self.state()

    def stop(self) -> dict[str, Any]:
        """Ask the task to stop at its next step."""
        self._stop.set()
        return self.state()

    def state(self) -> dict[str, Any]:
        """`kind`, `running`, `done`, `total`, and at its end `result` or `error` in both languages."""
        with self._lock:
            return dict(self._state)

    def _run(self, task: Callable[[Progress], Any]) -> None:
        try:
            self._end(result=task(self._progress))
        except _StoppedError:
            self._end()
        except Exception as error:
            self._end(error=sentence(error))

    def _progress(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        with self._lock:
            self._state |= {"done": done, "total": total}

    def _end(self, **outcome: Any) -> None:
        with self._lock:
            self._state |= {"running": False, **outcome}
