"""`fiche index add`: files and folders → the index, and one line about each file.

Knows nothing of how files are read or documents embedded.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from index.build import compare_with_index, extend_index, index_store, reading
from index.errors import DocumentError
from index.formats.sniff import SUFFIXES
from index.intake import Brought, find_files, read_brought
from index.settings import Settings
from ui import terminal

__all__ = ["add_files"]


def add_files(settings: Settings, paths: Sequence[Path], out: Console, err: Console, ray: str = "") -> int:
    """Add every file that can be read, on the Ray cluster at `ray` if it is given; returns how many could not.

    Raises:
        DocumentError: none of the paths exists, or there is nothing to read in them.
        FicheError: the index cannot be written.
    """
    if not any(path.exists() for path in paths):
        raise DocumentError(f"no document at {paths[0]}: name an existing file or folder")
    files = list(find_files(paths))
    if not files:
        raise DocumentError(f"no documents below {paths[0]}: fiche reads {' '.join(SUFFIXES)}")
    read = _read(files, out, err)
    documents = {brought.document.id: brought.document for brought in read if brought.document}
    fates = compare_with_index(settings, documents.values())
    new = [document for name, document in documents.items() if fates[name] != "unchanged"]
    if new:
        from index.encoder import load_encoder

        encoder = load_encoder(settings)
        with reading(settings, encoder, ray) as embed, terminal.progress_bar(err, "embedding") as progress:
            extend_index(settings, encoder, new, progress, embed)
    for brought in read:
        if brought.document:
            said = f"{brought.document.pages} pages, {len(brought.document.passages)} passages"
            _tell(out, fates[brought.document.id], f"{brought.document.id} ({brought.path.name}: {said})")
    failed = len(read) - len(documents)
    counts = [f"{list(fates.values()).count(fate)} {fate}" for fate in ("added", "replaced", "unchanged")]
    out.print(Text(", ".join([*counts, f"{failed} failed"]) + _where(settings), style="dim"))
    return failed


def _read(files: Sequence[Path], out: Console, err: Console) -> list[Brought]:
    """All files, read; what cannot be is told at once."""
    read = []
    with terminal.progress_bar(err, "reading") as progress:
        for done, brought in enumerate(read_brought(files), 1):
            if not brought.document:
                _tell(out, "failed", f"{brought.path}: {brought.reason}")
            read.append(brought)
            progress(done, len(files))
    return read


def _tell(out: Console, fate: str, what: str) -> None:
    line = Text(f"{fate:<10} ", style="bold red" if fate == "failed" else "")
    out.print(line.append(terminal.printable(" ".join(what.split())), style="not bold default"), soft_wrap=True)


def _where(settings: Settings) -> str:
    return f" · {index_store(settings).root}" if index_store(settings).exists() else ""
