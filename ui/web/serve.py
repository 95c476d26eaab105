"""The commands `fiche ui` and `fiche mcp`: serve the chat to a browser, or the tools to an assistant.

Knows nothing of the page or of the tools. Loads their libraries only when the command is given.
"""

import logging
import os
import socket
import webbrowser
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from index.build import build_index, index_exists
from index.encoder import load_encoder
from index.errors import FicheError, InputError
from index.settings import Settings, load_settings
from rag.engine import Engine, open_engine
from ui import terminal
from ui.messages import say

__all__ = ["logins", "mcp", "quieten", "ui"]

_log = logging.getLogger(__name__)
_LOCAL = ("127.0.0.1", "::1", "localhost")


def ui(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port to listen on.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    llm: Annotated[
        str | None,
        typer.Option("--llm", help="A language model that writes answers: openai:MODEL, ollama:MODEL or gguf:FILE."),
    ] = None,
) -> None:
    """Ask and check in the browser: serves the chat until it is interrupted."""
    settings = load_settings(host=host, port=port, llm=llm)
    err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    users = logins(settings)
    if settings.host not in _LOCAL and not users:
        err.print("fiche: everyone who reaches this address can use it: set FICHE_AUTH to ask for a name and password")
    _check_port(settings)
    _ensure_index(settings, err)
    _serve(settings, users, err, show=show)


def mcp() -> None:
    """Serve an assistant (MCP) on standard input and output; `fiche ui` serves one at /mcp."""
    settings = load_settings()
    err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    _ensure_index(settings, err)
    from ui.web.assistants import serve_stdio

    serve_stdio(open_engine(settings))


def _ensure_index(settings: Settings, err: Console) -> None:
    if not index_exists(settings):
        err.print(say("building", "en" if settings.lang == "en" else "nl"), style="dim")
        with terminal.progress_bar(err, "embedding") as progress:
            build_index(settings, load_encoder(settings), progress=progress)


def logins(settings: Settings) -> list[tuple[str, str]]:
    """The names and passwords of `FICHE_AUTH`.

    Raises:
        InputError: an entry is no `NAME:PASSWORD`.
    """
    found = []
    for entry in filter(None, settings.auth.get_secret_value().split(",")):
        name, colon, password = entry.partition(":")
        if not (name.strip() and colon and password):
            raise InputError("FICHE_AUTH holds an entry that is no NAME:PASSWORD: set it right or unset it")
        found.append((name.strip(), password))
    return found


def _check_port(settings: Settings) -> None:
    """Fail now, with a remedy, rather than in a trace after the model was loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise FicheError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another with --port"
            ) from error


def quieten() -> None:
    """Tell Gradio to report to nobody, and to keep no statistics of questions: they grow, and cost time."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"


def _serve(settings: Settings, users: list[tuple[str, str]], err: Console, *, show: bool) -> None:
    quieten()
    import uvicorn

    from ui.web.app import make_app
    from ui.web.guard import Guard
    from ui.web.keeping import Keeping

    engine = open_engine(settings)
    with suppress(FicheError):
        Engine(engine.snapshot, engine.encoder).ask("Wat is dit?")  # what is loaded at the first question is loaded now
    app = Guard(make_app(Keeping(settings, engine), users), settings.rate)
    address = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
    config = uvicorn.Config(app, settings.host, settings.port, log_config=None, server_header=False)
    server = uvicorn.Server(config)
    started = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await started(sockets)
        err.print(say("serving", "en" if settings.lang == "en" else "nl", address=address))
        _log.info("serving", extra={"fields": {"address": address, "login": bool(users)}})
        if show:
            webbrowser.open(address)

    server.startup = startup  # type: ignore[method-assign]
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with suppress(KeyboardInterrupt):
        server.run()
