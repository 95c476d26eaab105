"""Files and folders that someone brings → documents, each read in a process of its own with limits.

Knows nothing of indexes. A file that cannot be read gives its reason, in one line, and stops no other.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.child import TIME, TOO_LARGE
from index.errors import DocumentError
from index.exchange import document_from_json
from index.formats.sniff import SUFFIXES
from index.reader import document_id
from index.records import Document

__all__ = ["Brought", "find_files", "read_brought", "read_safely"]

_START = "from index.child import main; main()"
_MAX_ANSWER = 500_000_000


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one file: a document, or the reason why not."""

    path: Path
    document: Document | None = None
    reason: str = ""


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and those below the folders named whose endings fiche knows, in order.

    What is hidden is left out, as are the files that a word processor keeps while one is open.
    """
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(_below(path)) if path.is_dir() else [path]
        for file in inside:
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith((".", "~$")) and Path(name).suffix.lower() in SUFFIXES:
                yield Path(root) / name


def read_brought(paths: Iterable[Path]) -> Iterator[Brought]:
    """Each file read, in turn; of two that would be called the same the second is refused."""
    names: dict[str, Path] = {}
    for path in paths:
        identity = document_id(path)
        if identity in names:
            reason = f"it would be called {identity}, as {names[identity]} is: rename one of them"
            yield Brought(path, reason=reason)
            continue
        try:
            document = read_safely(path)
        except DocumentError as error:
            yield Brought(path, reason=str(error))
        else:
            names[identity] = path
            yield Brought(path, document)


def read_safely(path: Path, identity: str = "") -> Document:
    """Read a file of any known format in a process with limits on memory and time.

    Args:
        path: the file.
        identity: what the document is called; without it, after the file.

    Raises:
        DocumentError: it cannot be read; the message says why, and not which file it is.
    """
    if not path.is_file():
        raise DocumentError(
            f"no document at {path}: name an existing file or folder",
            f"er is geen document op {path}. Noem een bestaand bestand of een bestaande map.",
        )
    answer = _answer_of([sys.executable, "-P", "-c", _START, str(path), identity or document_id(path)])
    if "error" in answer:
        raise DocumentError(*answer["error"])
    return document_from_json(answer["document"])


def _answer_of(command: list[str]) -> dict[str, Any]:
    process = subprocess.Popen(  # noqa: S603  our own interpreter with our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        out, _ = process.communicate(timeout=TIME)
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"it takes more than {TIME} seconds to read: split it, or save it anew",
            f"het lezen duurt langer dan {TIME} seconden. Splits het, of sla het opnieuw op.",
        ) from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise DocumentError(
            f"it takes more than {TIME} seconds to read: split it, or save it anew",
            f"het lezen duurt langer dan {TIME} seconden. Splits het, of sla het opnieuw op.",
        )
    if process.returncode or len(out) > _MAX_ANSWER:
        raise DocumentError(f"{TOO_LARGE[0]}, or it is damaged: save or download it again", TOO_LARGE[1])
    answer: dict[str, Any] = json.loads(out)
    return answer
