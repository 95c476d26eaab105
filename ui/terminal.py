"""Shows answers, documents and progress on a terminal; finds nothing by itself.

Everything that comes from a document or a question passes `printable`, so that no escape sequence
in it reaches the terminal. Where colours are off, an answering part is marked with `»…«`.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from index.records import Document, Passage, Span
from index.snapshot import Progress as OnProgress
from index.snapshot import Snapshot
from rag.language import Language
from rag.records import Answer, Citation, Hit, Writing
from rag.searching import Searching
from ui.messages import say

__all__ = [
    "describe_index",
    "printable",
    "progress_bar",
    "show_answer",
    "show_document",
    "show_index",
    "show_list",
    "show_outline",
]

_TITLE_WORDS = 8
_PIPED_WIDTH = 240
"""Where another program reads a list, a document is one line of it."""


def printable(text: str) -> str:
    r"""`text` without control, format and private characters; line ends stay.

    >>> printable("a\x1b[31mb\u202ec")
    'a[31mbc'
    """
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def show_answer(console: Console, answer: Answer) -> None:
    """The answer, then each of its sources with the answering words marked in their context."""
    if answer.mode == "written" and answer.writing:
        _show_parts(console, answer.writing, answer.lang)
    else:
        console.print(Text(_plain(answer), style="bold" if not answer.abstained else ""))
        if answer.writing and answer.writing.failure:
            console.print(Text(say("quoting_instead", answer.lang), style="dim"))
    console.print()
    if answer.abstained:
        if answer.passages:
            console.print(Text(say("nearest", answer.lang), style="dim"))
            hit = answer.passages[0]
            title = hit.section_translation
            several = answer.documents > 1
            _show_source(console, answer.lang, hit.document, hit.passage, hit.best, title=title, several=several)
        return
    for citation in answer.citations:
        passage = _passage_of(citation, answer.passages)
        span = Span(citation.start, citation.end)
        title = citation.section_translation
        several = answer.documents > 1
        number = citation.n
        _show_source(
            console, answer.lang, citation.document, passage, span, number=number, title=title, several=several
        )
    percent = round(100 * answer.confidence)
    console.print(Text(say("confidence", answer.lang, percent=percent), style="dim"))


def _show_parts(console: Console, writing: Writing, lang: Language) -> None:
    """Each sentence with what its check came to, and who wrote them."""
    for part in writing.parts:
        markers = "".join(f"[{n}]" for n in part.cites)
        console.print(Text(f"{printable(part.text)} {markers}", style="bold"))
        console.print(Text("    " + say(part.verdict, lang, sources=markers), style="dim"))
    console.print(Text(say("written", lang, model=printable(writing.model)), style="dim"))
    if writing.dropped:
        console.print(Text(say("dropped", lang, count=writing.dropped), style="dim"))


def _plain(answer: Answer) -> str:
    """The answer without Markdown's escapes."""
    out, escaped = [], False
    for char in answer.answer:
        if char == "\\" and not escaped:
            escaped = True
            continue
        out.append(char)
        escaped = False
    return printable("".join(out))


def _passage_of(citation: Citation, hits: tuple[Hit, ...]) -> Passage:
    near = (h.passage for h in hits if h.document is citation.document)
    return next(
        p
        for p in (*near, *citation.document.passages)
        if any(s.start == citation.start and s.end == citation.end for s in p.sentences)
    )


def _show_source(
    console: Console,
    lang: Language,
    document: Document,
    passage: Passage,
    span: Span,
    *,
    number: int | None = None,
    title: str | None = None,
    several: bool = False,
) -> None:
    place = [_shown_name(document)] if several else []
    place.append(f"{say('page', lang)} {document.page_at(span.start)}")
    if passage.section:
        shown = title if title and lang == "en" else document.section_title(passage.section)
        place.append(f"{document.section_number(passage.section)} {shown}".strip())
    if passage.kind == "footnote":
        place.append(f"{say('footnote', lang)} {document.text[passage.start : passage.sentences[0].start].strip()}")
    head = Text(f"[{number}] " if number else "    ", style="cyan bold")
    head.append(printable(" · ".join(place)), style="cyan")
    console.print(head)
    console.print(Padding(_marked(console, document, passage, span), (0, 0, 1, 4)))


def _shown_name(document: Document) -> str:
    """`kst-22112-3908 (Mededeling stimuleren van startups …)`: which of several documents a source stands in."""
    words = document.title.split()
    short = " ".join(words[:_TITLE_WORDS]) + (" …" if len(words) > _TITLE_WORDS else "")
    return document.id if document.title == document.id else f"{document.id} ({short})"


def _marked(console: Console, document: Document, passage: Passage, span: Span) -> Text:
    """The span marked, with the sentence before and the one after it."""
    place = next(i for i, s in enumerate(passage.sentences) if s.start == span.start)
    start = passage.sentences[max(0, place - 1)].start
    last = min(len(passage.sentences) - 1, place + 1)
    end = passage.sentences[last].end
    coloured = console.is_terminal and not console.no_color
    before = ("… " if place > 1 else "") + " ".join(document.text[start : span.start].split(" "))
    after = document.text[span.end : end] + (" …" if last < len(passage.sentences) - 1 else "")
    text = Text(printable(before), style="dim")
    words = printable(document.text[span.start : span.end])
    text.append(words if coloured else f"»{words}«", style="not dim bold green" if coloured else "")
    text.append(printable(after))
    return text


def show_document(console: Console, document: Document) -> None:
    """What a document is: its title, its metadata, its outline and its size."""
    console.print(Text(printable(document.title), style="bold"))
    table = Table.grid(padding=(0, 2))
    for passage in document.passages:
        if passage.kind == "field" and passage.section:
            value = document.text[passage.sentences[0].start : passage.sentences[0].end]
            label = document.section_title(passage.section)
            table.add_row(Text(printable(label), style="dim"), Text(printable(value)))
    console.print(table)
    console.print()
    show_outline(console, document)
    console.print()
    sentences = sum(len(p.sentences) for p in document.passages)
    console.print(
        Text(
            f"{document.id}: {document.pages} pages, {len(document.passages)} passages, "
            f"{sentences} sentences, {len(document.footnotes)} footnotes",
            style="dim",
        )
    )


def show_outline(console: Console, document: Document) -> None:
    """The headings with their pages."""
    table = Table.grid(padding=(0, 2))
    for section in document.sections:
        indent = "  " if section.id != section.chapter else ""
        page = document.page_at(section.start)
        number = document.section_number(section.id)
        table.add_row(Text(indent + number), Text(printable(section.title)), Text(f"p. {page}", style="dim"))
    console.print(table)


def show_list(console: Console, documents: list[Document]) -> None:
    """A line for each document: its name, title, date, ministry and size."""
    if not console.is_terminal:
        console.width = max(console.width, _PIPED_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("name", "title", "date", "ministry"):
        table.add_column(name, overflow="fold")
    for name in ("pages", "passages"):
        table.add_column(name, justify="right", no_wrap=True)
    for document in documents:
        words = (document.id, document.title, str(document.date or ""), document.ministry)
        size = (str(document.pages), str(len(document.passages)))
        table.add_row(*(Text(printable(" ".join(word.split()))) for word in words), *(Text(count) for count in size))
    console.print(table)


def describe_index(snapshot: Snapshot, how: Searching, where: str) -> dict[str, Any]:
    """What an index holds, with which model it was made, how it is searched and how large it is."""
    manifest = snapshot.manifest
    return {
        "folder": where,
        "snapshot": manifest.snapshot,
        "created": manifest.created,
        "model": {"name": manifest.model, "fingerprint": manifest.fingerprint, "dim": manifest.dim},
        "counts": manifest.counts,
        "search": how.to_json(),
        "segments": len(snapshot.parts),
        "files": len(manifest.files),
        "bytes": sum(file["bytes"] for file in manifest.files.values()),
        "documents": [{"id": entry.id, "title": entry.title} for entry in snapshot.entries],
    }


def show_index(console: Console, about: Mapping[str, Any]) -> None:
    """What `describe_index` says, a line for each thing."""
    model, search = about["model"], about["search"]
    table = Table.grid(padding=(0, 2))
    rows = [
        ("folder", about["folder"]),
        ("snapshot", about["snapshot"]),
        ("made", about["created"]),
        ("model", f"{model['name']} ({model['fingerprint']}, {model['dim']} dimensions)"),
        ("holds", ", ".join(f"{count} {name}" for name, count in about["counts"].items())),
        ("search", f"{search['kind']}: {_scored(search)}, by token vectors ({', '.join(search['tokens'])})"),
        *(("nearest", _nearest(way)) for way in search["vectors"]),
        ("size", f"{about['bytes'] / 1e6:.1f} MB in {about['files']} files, each checked"),
        *(("document", f"{document['id']}: {document['title']}") for document in about["documents"]),
    ]
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(printable(value)))
    console.print(table)


def _scored(search: Mapping[str, Any]) -> str:
    """Which sentences are scored for a question."""
    if not (first := search["candidates"]):
        return f"each of the {search['sentences']:,} sentences is scored"
    candidates = f"the {first['nearest']:,} nearest sentences and {first['worded']:,} passages by their words"
    return f"candidates are {candidates}, of whose passages the best {first['read']} are scored"


def _nearest(way: Mapping[str, Any]) -> str:
    """How the nearest vectors are found: `exact (FAISS Flat, 265 vectors)`."""
    probed = f", {way['probes']} cells searched" if way["probes"] else ""
    return f"{way['kind']} ({way['engine']} {way['index']}{probed}, {way['rows']:,} vectors)"


@contextmanager
def progress_bar(console: Console, label: str) -> Iterator[OnProgress]:
    """A bar on `console` while a task lasts; gives what the task is to call."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
