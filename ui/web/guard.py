"""Stands before the page: security headers, limits of size and rate, and roads that stay closed.

Knows nothing of what is asked. A plain ASGI middleware, so that answers are streamed through it.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ui.web.words import word

__all__ = ["MAX_BODY_BYTES", "MAX_FILE_BYTES", "POLICY", "Guard"]

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's own page needs both
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        "font-src 'self' data:",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
    ]
)
"""The Content-Security-Policy: whatever gets into the page, nothing leaves this machine."""
_HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cross-origin-opener-policy": b"same-origin",
}
MAX_BODY_BYTES = 3_000_000
"""A question or a form, and far more than it needs."""
MAX_FILE_BYTES = 14_000_000
"""Where files go: one of 10 MB in base64, and what goes with it."""
_FILES = "/gradio_api/component_server"
_CLOSED = (
    "/upload",
    "/proxy=",
    "/file=",
    "/file/",
    "/stream/",
    "/deep_link",
    "/vibe",
    "/process_recording",
    "/call/v2",
)
"""Gradio's roads for files and addresses: this page uploads nothing that way, and fetches nothing. And a
second road to the endpoints, which breaks down at a name that is none."""
_MOST_ADDRESSES = 10_000
_MINUTE = 60.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class _TooLargeError(Exception):
    """More came than was announced or is allowed."""


class Guard:
    """The middleware around the whole application."""

    def __init__(self, app: App, rate: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._rate, self._clock = app, rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refused := self._refusal(scope):
            await _answer(send, *refused)
            return
        begun = False

        async def headed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in _HEADERS]
                message["headers"] = [*kept, *_HEADERS.items()]
            await send(message)

        try:
            await self._app(scope, _counted(receive, _most(scope["path"])), headed)
        except _TooLargeError:
            if not begun:
                await _answer(send, 413, "the request is too large")

    def _refusal(self, scope: MutableMapping[str, Any]) -> tuple[int, str] | None:
        path = scope["path"]
        road = path[path.find("/gradio_api") + len("/gradio_api") :] if "/gradio_api" in path else path
        if road.startswith(_CLOSED):
            return 404, "there is nothing here"
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > _most(path):
            return 413, "the request is too large"
        if scope["method"] == "POST" and not self._may(scope["client"][0] if scope.get("client") else ""):
            return 429, word("too_many", "en")
        return None

    def _may(self, address: str) -> bool:
        """Whether the address has a request left: a bucket that fills by `rate` a minute."""
        if not self._rate:
            return True
        now = self._clock()
        left, since = self._buckets.pop(address, (float(self._rate), now))
        left = min(self._rate, left + (now - since) * self._rate / _MINUTE)
        self._buckets[address] = (max(0.0, left - 1), now)
        while len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return left >= 1


def _most(path: str) -> int:
    return MAX_FILE_BYTES if path.startswith(_FILES) else MAX_BODY_BYTES


def _counted(receive: Receive, most: int) -> Receive:
    """`receive` that stops a body without a length, or with a false one."""
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise _TooLargeError
        return message

    return counting


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS.items()]
    if status == 429:
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
