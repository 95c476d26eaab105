"""The command line `fiche`: turns words and options into calls, and errors into one line.

Knows nothing of retrieval. Exit status: 0 all was handled (a refusal counts), 1 something failed,
2 wrong usage or bad input, 130 interrupted.
"""

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from index.build import (
    build_index,
    index_exists,
    index_store,
    open_snapshot,
    remove_documents,
    shipped_document,
)
from index.errors import DocumentError, FicheError, IndexStateError, InputError, QuestionError
from index.records import Document
from index.settings import Settings, load_settings
from rag.language import Language
from ui import log, terminal
from ui.messages import say

__all__ = ["app", "main"]

_log = logging.getLogger(__name__)
app = typer.Typer(
    help="Ask a Dutch government document a question, and get an answer with its sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
index_app = typer.Typer(help="Make, extend and inspect the index.", no_args_is_help=True)
app.add_typer(index_app, name="index")

Lang = Annotated[
    Literal["auto", "nl", "en"] | None,
    typer.Option("--lang", help="The language of the question and the answer, instead of finding it out."),
]
Llm = Annotated[
    str | None,
    typer.Option("--llm", help="A language model that writes the answer: openai:MODEL, ollama:MODEL or gguf:FILE."),
]

Documents = Annotated[
    list[str] | None, typer.Option("--document", help="Ask this document only; may be given several times.")
]
Since = Annotated[str, typer.Option("--since", metavar="YYYY-MM-DD", help="Ask documents of this day and later.")]
Until = Annotated[str, typer.Option("--until", metavar="YYYY-MM-DD", help="Ask documents of this day and before.")]
Ministry = Annotated[str, typer.Option("--ministry", help="Ask documents of a ministry with these words in its name.")]


def _out() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def _err() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _ensure_index(settings: Settings, lang: Language) -> None:
    if not index_exists(settings):
        _err().print(say("building", lang), style="dim")
        _build(settings)


def _build(settings: Settings) -> None:
    from index.encoder import load_encoder

    with terminal.progress_bar(_err(), "embedding") as progress:
        build_index(settings, load_encoder(settings), progress=progress)


@app.command()
def ask(
    question: Annotated[list[str], typer.Argument(help="The question; '-' reads questions, one a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a question.")] = False,
    lang: Lang = None,
    llm: Llm = None,
    document: Documents = None,
    since: Since = "",
    until: Until = "",
    ministry: Ministry = "",
) -> None:
    """Ask one question, or many from standard input, and print the answer with its sources."""
    from rag.engine import open_engine
    from rag.question import clean_question
    from rag.scope import read_scope
    from ui.writing import show_answering

    settings = load_settings(lang=lang, llm=llm)
    scope = read_scope(document or (), since, until, ministry)
    stream = question == ["-"]
    if not stream:
        clean_question(" ".join(question))  # before the model is loaded: a bad question fails at once
    spoken: Language = "en" if settings.lang == "en" else "nl"
    _ensure_index(settings, spoken)
    engine = open_engine(settings)
    failed: QuestionError | None = None
    for number, line in _lines(sys.stdin.buffer) if stream else [(0, " ".join(question))]:
        try:
            if as_json:
                print(
                    json.dumps(engine.ask(line, settings.lang, scope=scope).to_json(), ensure_ascii=False), flush=True
                )
            else:
                show_answering(_out(), engine.stream(line, settings.lang, scope=scope), line)
        except QuestionError as error:
            failed = QuestionError(f"line {number}: {error}") if stream else error
            if stream:
                _fail(failed)
    if failed:
        raise typer.Exit(2) if stream else failed


def _lines(stream: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Numbered questions; bytes that are not UTF-8 become surrogates, which no question may hold."""
    for number, raw in enumerate(stream, 1):
        yield number, raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


@app.command()
def chat(
    lang: Lang = None,
    llm: Llm = None,
    document: Documents = None,
    since: Since = "",
    until: Until = "",
    ministry: Ministry = "",
) -> None:
    """Ask one question after another, with history and line editing."""
    from rag.engine import open_engine
    from rag.scope import read_scope
    from ui.chat import run_chat

    settings = load_settings(lang=lang, llm=llm)
    scope = read_scope(document or (), since, until, ministry)
    spoken: Language = "en" if settings.lang == "en" else "nl"
    _ensure_index(settings, spoken)
    run_chat(open_engine(settings), settings, _out(), _err(), spoken, scope)


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="The document's name, as in kst-22112-3908.")],
    text: Annotated[bool, typer.Option("--text", help="Print its clean text and nothing else.")] = False,
    outline: Annotated[bool, typer.Option("--outline", help="Print its headings and nothing else.")] = False,
) -> None:
    """Show a document as fiche reads it."""
    found = _find_document(load_settings(), document)
    if text:
        print(found.text)
    elif outline:
        terminal.show_outline(_out(), found)
    else:
        terminal.show_document(_out(), found)


def _find_document(settings: Settings, name: str) -> Document:
    """A document of the index; the shipped one also where there is no index yet."""
    known = {d.id: d for d in ([shipped_document()] if not index_exists(settings) else _indexed(settings))}
    if name not in known:
        raise DocumentError(
            f"no document {terminal.printable(name)!r} in the index: it holds {', '.join(sorted(known))}"
        )
    return known[name]


def _indexed(settings: Settings) -> list[Document]:
    return list(open_snapshot(settings, any_model=True).documents.values())


@index_app.command()
def build() -> None:
    """Make the index of the fiche that comes with the program."""
    settings = load_settings()
    _build(settings)
    info()


@index_app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: .txt .md .pdf .docx .odt .html")],
    ray: Annotated[str, typer.Option("--ray", help="Embed on a Ray cluster: its address, or 'local'.")] = "",
) -> None:
    """Add documents to the index, or replace those of the same name; says of each file what became of it."""
    from ui.adding import add_files

    if add_files(load_settings(), paths, _out(), _err(), ray):
        raise typer.Exit(1)


@index_app.command()
def remove(documents: Annotated[list[str], typer.Argument(help="The documents' names, as in kst-22112-3908.")]) -> None:
    """Take documents out of the index."""
    from index.encoder import load_encoder

    settings = load_settings()
    with terminal.progress_bar(_err(), "embedding") as progress:
        remove_documents(settings, load_encoder(settings), documents, progress)
    info()


@index_app.command("list")
def list_documents() -> None:
    """List the documents of the index, with title, date, ministry and size."""
    terminal.show_list(_out(), _indexed(load_settings()))


@index_app.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False) -> None:
    """Say what the index holds and how it is searched, and check every file of it."""
    from rag.searching import searching

    settings = load_settings()
    store = index_store(settings)
    snapshot = open_snapshot(settings)
    store.read(lambda *_: None, whole=True)  # opening looks at samples of what is large
    about = terminal.describe_index(snapshot, searching(snapshot), str(store.root))
    if as_json:
        print(json.dumps(about, ensure_ascii=False))
    else:
        terminal.show_index(_out(), about)


def _add_commands() -> None:
    """Commands that other parts of the program bring, each loaded only when it is named or listed."""
    for entry in entry_points(group="fiche.commands"):
        if entry.name in sys.argv[1:2] or not sys.argv[1:] or sys.argv[1] in ("-h", "--help"):
            app.command(entry.name)(entry.load())


def _fail(error: BaseException) -> None:
    _err().print(f"fiche: {terminal.printable(' '.join(str(error).split()))}")


def main() -> None:
    """Run the command line; every error that fiche knows becomes one line and an exit status."""
    began = time.perf_counter()
    try:
        _run()
    except SystemExit as ended:
        fields = {"status": ended.code or 0, "ms": round(1000 * (time.perf_counter() - began))}
        _log.info("%s ended", _named(), extra={"fields": fields})
        raise


def _named() -> str:
    """The command, without whatever was given to it."""
    group, named = (index_app, sys.argv[1:3]) if sys.argv[1:2] == ["index"] else (app, sys.argv[1:2])
    known = {command.name or command.callback.__name__ for command in group.registered_commands if command.callback}
    return " ".join(["fiche", *named]) if set(named[-1:]) <= known else "fiche"


def _run() -> None:
    log.set_up()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        _add_commands()
        app()
    except (InputError, IndexStateError) as error:
        _fail(error)
        raise SystemExit(2) from None
    except FicheError as error:
        _fail(error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        _fail(KeyboardInterrupt("interrupted; the index is as it was"))
        raise SystemExit(130) from None
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        raise SystemExit(0) from None
    except MemoryError:
        _fail(MemoryError("out of memory: close other programs, or index fewer documents"))
        raise SystemExit(1) from None
    except Exception as error:
        _unexpected(error)
        raise SystemExit(1) from None


def _unexpected(error: Exception) -> None:
    """One line for an error that fiche does not know; its trace for whoever sets FICHE_DEBUG."""
    if os.environ.get("FICHE_DEBUG"):
        traceback.print_exc()
    if isinstance(error, OSError):
        _fail(OSError(f"{error.strerror or error}: {error.filename or 'check the disk and its permissions'}"))
    else:
        _fail(RuntimeError(f"something went wrong ({type(error).__name__}: {error}): set FICHE_DEBUG=1 to see where"))
