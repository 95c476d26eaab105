"""Calls of the file system that fail, in the process that installs them; knows nothing of what is stored.

Python tells an audit hook of every opening, renaming, removing and listing before it does it, and what
a hook raises is what the caller gets. Flushing and looking (`fsync`, `stat`) are not told of, so they
are wrapped, and so is the writing of a FAISS index, which goes past Python. From a call on that is
`full`, the kernel itself refuses every byte that anybody writes, C code included.
"""

import errno
import functools
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["ERRORS", "Faults"]

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
_TOLD = {
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod", "os.utime", "shutil.rmtree", "shutil.copyfile", "shutil.move"),
}
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate", "os.chmod", "shutil.rmtree"}


class Faults:
    """Counts the calls on paths below a folder, and lets some of them fail.

    Args:
        root: the folder.
        at: the number of the call that fails, from 1; 0 for none.
        code: the error that it fails with.
        how: `once`; `full`, where from that call on nothing can be written any more; or `readonly`,
            where from that call on nothing can be changed.
    """

    def __init__(self, root: str = "/nowhere", at: int = 0, code: int = errno.EIO, how: str = "once") -> None:
        self.root, self.at, self.code, self.how = root, at, code, how
        self.calls: list[str] = []
        self._on = False
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def install(self) -> None:
        """Begin. It cannot be undone in this process, only ended."""
        self._on = True
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sys.addaudithook(self._hook)
        for name in ("fsync", "stat"):
            setattr(os, name, self._wrapped(f"os.{name}", getattr(os, name)))
        with suppress(ImportError):
            import faiss

            write = faiss.write_index

            def write_index(index: Any, path: Any, *given: Any) -> Any:
                self._call("write_index", path)
                return write(index, path, *given)

            faiss.write_index = write_index

    def end(self) -> None:
        """Let everything work again."""
        self._on = False
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    def _hook(self, event: str, given: tuple[Any, ...]) -> None:
        if self._on and event in _TOLD and given:
            writes = event in _CHANGES or (event == "open" and _opens_to_write(given))
            self._call(event, given[0], writes=writes)

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(path: Any, *given: Any, **named: Any) -> Any:
            if self._on:
                self._call(name, path)
            return function(path, *given, **named)

        return call

    def _call(self, event: str, path: Any, *, writes: bool = False) -> None:
        where = self._path(path)
        if not self._on or not where.startswith(self.root):
            return
        self.calls.append(f"{event} {where.removeprefix(self.root)}")
        number = len(self.calls)
        if self.how == "readonly" and self.at and number >= self.at and writes:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), where)
        if number != self.at:
            return
        if self.how == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limits[1]))
        elif self.how == "once":
            raise OSError(self.code, os.strerror(self.code), where)

    @staticmethod
    def _path(path: Any) -> str:
        try:
            if isinstance(path, int):
                return os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115 - it must look at no file itself
            return os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        except (OSError, TypeError, ValueError):
            return ""


def _opens_to_write(given: tuple[Any, ...]) -> bool:
    flags = given[2] if len(given) > 2 and isinstance(given[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
