"""Puts the page, its functions and the named endpoints into one Gradio application.

Knows nothing of how questions are answered. The page is one HTML component with its own style and
script; a question travels through Gradio's queue, which limits how many are answered at once, and
comes back in steps. Everything else the page asks for is a server function of that component.
"""

import inspect
import json
import logging
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import gradio as gr
from fastapi import FastAPI, HTTPException
from starlette.routing import Route

from ui.web.assistants import PATH, Door
from ui.web.keeping import Keeping
from ui.web.programs import functions, told_as
from ui.web.shell import shell

__all__ = ["make_app", "make_blocks"]

_log = logging.getLogger(__name__)

CONCURRENT = 8
"""Questions answered at once; more wait their turn, and the page says that it is at work."""
WAITING = 200
"""Questions that may wait; the next is told to come back."""
SESSIONS = 50
"""Browsers that Gradio remembers; the page keeps nothing there, so a forgotten one loses nothing."""
_SCRIPTS = ("core", "chat", "reading", "kept", "feedback", "tabs")
_PAGE = "window.fiche.start(element, server);"
_WIRE = "window.fiche.connect(trigger, watch, props);"
_PUBLIC = (
    "state",
    "document",
    "feedback",
    "feedback_change",
    "job",
    "add_document",
    "remove_document",
    "evaluation",
    "add_set",
    "run_set",
    "report",
)


def make_blocks(service: Keeping) -> gr.Blocks:
    """The page and its endpoints, not served yet."""
    blocks = gr.Blocks(title="fiche", analytics_enabled=False, fill_width=True)
    with blocks:
        gr.HTML(
            shell(),
            js_on_load=_PAGE,
            apply_default_css=False,
            server_functions=[_plain(service, name) for name in _PUBLIC],
            elem_id="fiche-page",
        )
        wire = gr.HTML("", html_template="<i></i>", js_on_load=_WIRE, visible="hidden", elem_id="fiche-wire")

        def asked(event: gr.EventData) -> Iterator[str]:
            data = event._data if isinstance(event._data, dict) else {}
            for reply in service.answer(data):
                told = json.dumps({**reply, "ticket": str(data.get("ticket", ""))[:40]}, ensure_ascii=False)
                yield told.replace("<", "\\u003c")  # it is data on its way to the script, never HTML by itself

        wire.submit(asked, None, wire, concurrency_limit=CONCURRENT, api_visibility="private", show_progress="hidden")
        for name, function in functions(service.engine).items():
            gr.events.api(
                told_as(_failure, function),
                api_name=name,
                api_description=inspect.getdoc(function),
                concurrency_limit=CONCURRENT,
                concurrency_id="programs",
            )
    blocks.state_session_capacity = SESSIONS
    blocks.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT, api_open=True)
    return blocks


def _plain(service: Keeping, name: str) -> Callable[..., dict[str, Any]]:
    """A method, of the service of whoever asks, as a function: that Gradio can mark as callable from the page."""

    def call(data: Any, request: gr.Request) -> dict[str, Any]:  # by its type Gradio knows what it must fill in
        reply: dict[str, Any] = getattr(service.of(_user(request)), name)(data)
        return reply

    call.__name__ = name
    return call


def _user(request: Any) -> str:
    """Who is logged in, by the cookies that Gradio's own check goes by; empty where no login is asked for."""
    app = request.app
    if app.auth is None:
        return ""
    cookies = (request.cookies.get(f"access-token-{kind}{app.cookie_id}") for kind in ("", "unsecure-"))
    name = app.tokens.get(next(filter(None, cookies), None))
    if not name:  # logged out since that check
        raise HTTPException(401, "log in again")
    return str(name)


def _failure(told: str) -> Exception:
    return gr.Error(told, print_exception=False)


class _Unprinted:
    """For the place of `traceback` in Gradio, which prints what was sent to it when it cannot read it."""

    @staticmethod
    def print_exc() -> None:
        """The error goes to the log, which knows what may be in it."""
        _log.warning("a call could not be read", exc_info=True)


def _theme() -> Any:
    """For what Gradio draws itself, the login: fonts of the system, none that would be fetched."""
    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
        button_primary_background_fill="#154273",
        button_primary_background_fill_hover="#1d5591",
        button_primary_text_color="#ffffff",
    )


def make_app(service: Keeping, auth: list[tuple[str, str]]) -> FastAPI:
    """The whole application: nothing of it is fetched from elsewhere, and nothing reported to anyone."""
    assets = files("ui.web") / "assets"
    styles = "".join((assets / name).read_text(encoding="utf-8") for name in ("frame.css", "reading.css"))
    scripts = "".join((assets / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    door = Door(service.engine, auth, service.settings.host)
    whole = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=door.open)
    whole.router.routes.append(Route(PATH, door))
    for module in (gr.queueing, gr.routes):
        setattr(module, "traceback", _Unprinted)  # noqa: B010 - it is theirs to import, ours to replace
    app: FastAPI = gr.mount_gradio_app(
        whole,
        make_blocks(service),
        path="/",
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        auth=auth or None,
        footer_links=[],
        run_history=False,
        show_error=True,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        theme=_theme(),
        head=f"<style>{styles}</style><script>{scripts}</script>",  # as `css` every rule would be rewritten
    )
    return app
