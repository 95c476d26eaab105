"""The command `fiche translate`: makes, completes or checks the translation memory of a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from index.build import index_exists, known_translations, memory_folder, open_snapshot, shipped_document
from index.encoder import load_encoder
from index.errors import DocumentError
from index.reader import read_document
from index.records import Document
from index.settings import Settings, load_settings
from rag.llm import Model
from rag.translate import Finding, check_memory, complete_memory, segments_of, unlike_segments
from ui import terminal

__all__ = ["translate"]


def translate(
    document: Annotated[str, typer.Argument(help="The document's name in the index, or a text file.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the segments that there are.")] = False,
) -> None:
    """Translate a document into English with a language model, or check a translation.

    The memory is a TMX file below FICHE_HOME, which any translator's tool can edit; the next
    'fiche index build' or 'add' takes it in.
    """
    settings = load_settings()
    found = _find(settings, document)
    out, err = (Console(stderr=to_err, highlight=False, markup=False, emoji=False) for to_err in (False, True))
    known = known_translations(settings)
    path = memory_folder(settings) / f"{found.id}.tmx"
    if not check:
        model = Model(settings)
        with terminal.progress_bar(err, "translating") as progress:
            left = complete_memory(found, known, path, model, progress)
        done = len(segments_of(found)) - len(left)
        out.print(f"{done} of {len(segments_of(found))} segments are translated, in {path}")
        if left:
            _show(out, left, "Left untranslated")
            raise typer.Exit(1)
        out.print("'fiche index build' or 'fiche index add' takes them in.")
        return
    findings = check_memory(found, known)
    wrong = [finding for finding in findings if finding.wrong]
    unlike = unlike_segments(found, known, load_encoder(settings))
    _show(out, wrong, "To mend")
    _show(out, [finding for finding in findings if not finding.wrong] + unlike, "Worth a look")
    out.print(f"{len(segments_of(found))} segments checked, {len(wrong)} to mend.")
    if wrong:
        raise typer.Exit(1)


def _find(settings: Settings, name: str) -> Document:
    if Path(name).is_file():
        return read_document(Path(name))
    exists = index_exists(settings)
    known = open_snapshot(settings, any_model=True).documents if exists else {}
    shipped = shipped_document()
    if name in known or name == shipped.id:
        return known.get(name, shipped)
    raise DocumentError(f"no document and no file {terminal.printable(name)!r}: the index holds {', '.join(known)}")


def _show(out: Console, findings: Sequence[Finding], title: str) -> None:
    if not findings:
        return
    out.print(Text(f"{title}:", style="bold"))
    for finding in findings:
        out.print(Text(f"  {'; '.join(finding.problems)}", style="yellow"))
        out.print(Text(f"    nl  {terminal.printable(finding.source)}"))
        if finding.target:
            out.print(Text(f"    en  {terminal.printable(finding.target)}"))
