"""The question loop `fiche chat`: reads a line, has it answered, shows the answer.

Knows nothing of retrieval. On a terminal lines can be edited and earlier ones called back; the
history is kept in `FICHE_HOME`, readable by its owner alone.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress

from rich.console import Console

from index.errors import FicheError
from index.settings import Settings
from rag.engine import Engine
from rag.language import Language
from rag.scope import Scope
from ui.messages import say
from ui.terminal import printable
from ui.writing import show_answering

__all__ = ["run_chat"]

_TURNS = 4
"""Earlier questions that a follow-up may lean on."""
_STOP = {"/stop", "/quit", "/exit"}


def run_chat(
    engine: Engine, settings: Settings, out: Console, err: Console, lang: Language, scope: Scope | None = None
) -> None:
    """Answer each line until the input ends or `/stop` is typed."""
    out.print(say("chat_welcome", lang), style="dim")
    history: list[str] = []
    for line in _typed(settings) if sys.stdin.isatty() else _piped():
        if line.strip().lower() in _STOP:
            return
        if not line.strip():
            continue
        try:
            out.print()
            answer = show_answering(out, engine.stream(line, settings.lang, history, scope), line)
            history = [*history, answer.question][-_TURNS:]
            out.print()
        except FicheError as error:
            err.print(f"fiche: {printable(str(error))}")


def _piped() -> Iterator[str]:
    for raw in sys.stdin.buffer:
        yield raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _typed(settings: Settings) -> Iterator[str]:
    """Lines from a terminal; Ctrl-C clears the line, Ctrl-D ends."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.history import FileHistory

    settings.home.mkdir(parents=True, exist_ok=True)
    history = settings.home / "history"
    history.touch(mode=0o600)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)), auto_suggest=AutoSuggestFromHistory(), enable_history_search=True
    )
    while True:
        with suppress(KeyboardInterrupt):
            try:
                yield session.prompt("? ")
            except EOFError:
                return
