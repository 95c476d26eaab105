"""The chat on a real port, over the shipped fiche and a document full of attacks, without a model."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from index import build
from index.build import build_index, open_snapshot, shipped_document
from index.encoder import Encoder
from index.reader import read_text
from index.records import Document
from index.settings import Settings
from rag.confidence import Calibration
from rag.engine import Engine
from ui.web.app import make_app
from ui.web.guard import Guard
from ui.web.keeping import Keeping
from ui.web.serve import quieten

ANYWHERE = [""] * 4
"""No filter, as the endpoints want it told: no document, days or ministry."""
CALIBRATION = Calibration(
    bias=0.0, weights={"top_sentence": 1.0}, means={"top_sentence": 0.76}, scales={"top_sentence": 0.1},
    slope=1.0, offset=1.0, threshold=0.0, floor=0.0, keep=0.02,
)  # fmt: skip
"""For the encoder without a model: half of a question's words in one sentence that match are enough."""


def markup(beacon: str) -> dict[str, str]:
    """The families of markup, by name; each would set `window.hit`, or fetch from `beacon`, if it worked."""
    return {
        "script": f"<script>window.hit=1;fetch('{beacon}script')</script>",
        "img onerror": "<img src=x onerror=window.hit=2>",
        "svg onload": "<svg onload=window.hit=3>",
        "nested": "<svg><style><img src=x onerror=window.hit=4></style><script>window.hit=4</script></svg>",
        "srcdoc": "<iframe srcdoc='<script>parent.hit=5</script>'></iframe>",
        "links": "[a](javascript:window.hit=6) <a href='&#106;avascript:window.hit=6'>b</a> [c]: data:text/html,x "
        "<vbscript:x> [d][c]",
        "form": f"<form action={beacon}form><input type=password autofocus onfocus=window.hit=7></form>",
        "overlay": "<style>*{position:fixed}</style><div style='position:fixed;inset:0;z-index:999'>Log in</div>",
        "details": "<details open ontoggle=window.hit=8>x</details>",
        "mermaid": "```mermaid\ngraph TD; A[<img src=x onerror=window.hit=9>]; click A call alert()\n```",
        "katex": r"$\href{javascript:window.hit=10}{x}$ $\htmlData{a=b}{x}$ ${window.hit=10} {{constructor}}",
        "direction": "\u202egnp.exe\u202c \u2066txt\u2069",
        "inline code": "`<img src=x onerror=window.hit=11>` `${window.hit=11}`",
    }


def remote(beacon: str) -> dict[str, str]:
    """The ways to make a page fetch something from elsewhere."""
    return {
        "markdown": f"![x]({beacon}md.png)",
        "img": f"<img src={beacon}a.png srcset='{beacon}b.png 2x'>",
        "style": f"<style>@import '{beacon}c.css';body{{background:url({beacon}d.png)}}</style>",
        "attribute": f"<p style='background:url({beacon}e.png)'>x</p>",
        "audio": f"<audio autoplay src={beacon}f.mp3></audio>",
        "video": f"<video poster={beacon}g.png src={beacon}h.mp4></video>",
    }


def hostile_text(beacon: str) -> str:
    """A fiche whose title, headings, fields, paragraphs and footnotes are attacks."""
    pieces = {**markup(beacon), **remote(beacon)}
    lines = [f"Fiche: Aanval {pieces['img onerror']}", "1. Algemene gegevens", f"a) Titel {pieces['svg onload']}"]
    lines += [f"Voorstel {pieces['img']}", "2. Essentie voorstel"]
    for name, piece in pieces.items():
        folded = " ".join(piece.split())
        lines += [f"De familie «{name}» wordt hier beproefd met het voorbeeld {folded} en verder niets.", ""]
    return "\n\n".join(lines)


@dataclass
class Site:
    """A running chat."""

    url: str
    settings: Settings
    engine: Engine
    service: Keeping
    fetched: list[str] = field(default_factory=list)
    """What was asked of the beacon."""
    beacon: str = ""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of `app`, for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(600):
        if server.started:
            break
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def beacon(fetched: list[str]) -> Iterator[str]:
    """The address of a server that writes down what it is asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def running(home: Path, encoder: Encoder, more: Callable[[str], list[Document]] = lambda _: []) -> Iterator[Site]:
    """A chat over the shipped fiche, the hostile document and those that `more` makes, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        settings = Settings(home=home)
        others = build.model_fingerprint
        patch.setattr(build, "model_fingerprint", lambda s: encoder.fingerprint if s.home == home else others(s))
        quieten()
        fetched: list[str] = []
        with beacon(fetched) as address:
            hostile = read_text(hostile_text(address), "aanval")
            build_index(settings, encoder, [shipped_document(), hostile, *more(address)])
            engine = Engine(open_snapshot(settings), encoder, CALIBRATION, settings)
            service = Keeping(settings, engine)
            with serving(Guard(make_app(service, []))) as url:
                yield Site(url, settings, engine, service, fetched, address)


def until(done: Callable[[], bool]) -> None:
    """Wait for something that takes a moment, eight seconds at most."""
    for _ in range(400):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError("it never ended")
