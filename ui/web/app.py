"""Puts the page, its functions and the named endpoints into one Gradio application.

Knows nothing of how questions are answered. The page is one HTML component with its own style and
script; a question travels through Gradio's queue, which limits how many are answered at once, and
comes back in steps. Everything else the page asks for is a server function of that component.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Literal

import gradio as gr
from fastapi import FastAPI

from index.errors import FicheError
from ui.web.keeping import Keeping
from ui.web.service import sentence
from ui.web.shell import shell
from ui.web.words import word

__all__ = ["make_app", "make_blocks"]

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
            server_functions=[_plain(getattr(service, name), name) for name in _PUBLIC],
            elem_id="fiche-page",
        )
        wire = gr.HTML("", html_template="<i></i>", js_on_load=_WIRE, visible="hidden", elem_id="fiche-wire")

        def asked(event: gr.EventData) -> Iterator[str]:
            data = event._data if isinstance(event._data, dict) else {}
            for reply in service.answer(data):
                told = json.dumps({**reply, "ticket": str(data.get("ticket", ""))[:40]}, ensure_ascii=False)
                yield told.replace("<", "\\u003c")  # it is data on its way to the script, never HTML by itself

        wire.submit(asked, None, wire, concurrency_limit=CONCURRENT, api_visibility="private", show_progress="hidden")
        for name, function in _endpoints(service).items():
            told = inspect.getdoc(function)
            gr.events.api(
                function, api_name=name, api_description=told, concurrency_limit=CONCURRENT, concurrency_id="programs"
            )
    blocks.state_session_capacity = SESSIONS
    blocks.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT, api_open=True)
    return blocks


def _plain(method: Callable[..., dict[str, Any]], name: str) -> Callable[..., dict[str, Any]]:
    """A bound method as a function, which is what Gradio can mark as callable from the page."""

    def call(data: Any = None) -> dict[str, Any]:
        return method(data)

    call.__name__ = name
    return call


def _endpoints(service: Keeping) -> dict[str, Callable[..., Any]]:
    """The functions for programs; their docstrings and types are what the API page shows."""

    def ask(question: str, lang: Literal["auto", "nl", "en"] = "auto") -> dict[str, Any]:
        """Answer a question about the indexed documents by quoting them, or refuse.

        Args:
            question: the question, in Dutch or English.
            lang: its language; "auto" finds it out.

        Returns:
            The object that `fiche ask --json` prints.
        """
        return _told(lambda: service.engine.ask(question, lang).to_json(), question)

    def retrieve(question: str, lang: Literal["auto", "nl", "en"] = "auto", top: int = 10) -> dict[str, Any]:
        """Find the passages that a question is about, best first, without answering it.

        Args:
            question: the question, in Dutch or English.
            lang: its language; "auto" finds it out.
            top: how many passages, 1 to 10.

        Returns:
            `question`, `lang`, and `passages` as in what `fiche ask --json` prints.
        """

        def found() -> dict[str, Any]:
            got = service.engine.retrieve(question, lang, max(1, min(10, top)))
            return {"question": question, "lang": got.lang, "passages": [hit.to_json() for hit in got.hits]}

        return _told(found, question)

    def document(name: str) -> dict[str, Any]:
        """Give the clean text of a document, with its sections and pages; offsets of citations point into it.

        Args:
            name: the document's name, as in "kst-22112-3908".

        Returns:
            `id`, `title`, `pages`, `metadata`, `sections` (id, title, page, start) and `text`.
        """
        return _told(lambda: _document(service, name), name)

    return {"ask": ask, "retrieve": retrieve, "document": document}


def _document(service: Keeping, name: str) -> dict[str, Any]:
    documents = service.engine.snapshot.documents
    if name not in documents:
        raise FicheError(f"no document {name!r} in the index: it holds {', '.join(sorted(documents))}")
    found = documents[name]
    sections = [
        {"id": s.id, "title": s.title, "page": found.page_at(s.start), "start": s.start} for s in found.sections
    ]
    return {
        "id": found.id,
        "title": found.title,
        "pages": found.pages,
        "metadata": dict(found.metadata),
        "sections": sections,
        "text": found.text,
    }


def _told(call: Callable[[], dict[str, Any]], question: str) -> dict[str, Any]:
    """What `call` gives; an error is a sentence for the program's user."""
    try:
        return call()
    except Exception as error:
        key, values = sentence(error, question)
        raise gr.Error(word(key, "en", **values), print_exception=False) from None


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
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
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
