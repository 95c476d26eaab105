"""Asks a language model behind an OpenAI-compatible endpoint, whole or piece by piece, within one budget.

Knows nothing of what is asked. A question has one `Budget` of time and tokens for everything that a
model does for it; nothing is retried here, so that retries cannot nest. Whatever goes wrong is one
`LlmError`, which never holds the key. The clock is kept by whoever waits, beside the thread that
reads: an endpoint that trickles, stalls or never ends cannot hold up an answer.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from index.errors import FicheError
from index.settings import Settings

__all__ = ["PROVIDERS", "Budget", "LlmError", "Message", "Model", "paced"]

Message = dict[str, str]
"""`role` (system, user or assistant) and `content`."""

PROVIDERS = {"openai": "https://api.openai.com/v1", "ollama": "http://127.0.0.1:11434/v1"}
_MAX_BYTES = 1_000_000
_MAX_LINE = 100_000
_AT_ONCE = 16
"""Requests that may be under way; a hanging endpoint that holds them all is not asked again until one ends."""
_threads = threading.BoundedSemaphore(_AT_ONCE)


class LlmError(FicheError):
    """The model did not give a completion."""


@dataclass(slots=True)
class Budget:
    """What a model may use for one question, however many times it is asked."""

    seconds: float
    tokens: int
    _began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds until nobody waits any more; negative after that."""
        return self._began + self.seconds - time.monotonic()

    def take(self, tokens: int) -> int:
        """So many tokens, or what is left of them.

        Raises:
            LlmError: nothing is left.
        """
        given = min(tokens, self.tokens)
        if given <= 0 or self.left <= 0:
            raise LlmError("the budget for this question is used up: raise FICHE_LLM_SECONDS")
        self.tokens -= given
        return given


def paced(pieces: Callable[[], Iterator[str]], budget: Budget) -> Iterator[str]:
    """What `pieces` gives, read in a thread of its own, for as long as the budget's clock runs.

    Raises:
        LlmError: the time is over, whatever the thread is doing; or what `pieces` raised.
    """
    if not _threads.acquire(blocking=False):
        raise LlmError("the model is still busy with earlier questions: try again later")
    done: _Queue = queue.SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_pump, args=(pieces, done, stopped), daemon=True, name="fiche-llm").start()
    try:
        while (found := _next(done, budget)) is not None:
            yield found
    finally:
        stopped.set()


_Queue = queue.SimpleQueue[str | BaseException | None]


def _pump(pieces: Callable[[], Iterator[str]], done: _Queue, stopped: threading.Event) -> None:
    try:
        for piece in pieces():
            if stopped.is_set():
                return
            done.put(piece)
        done.put(None)
    except BaseException as error:  # whatever a model's library raises belongs to whoever waits
        done.put(error)
    finally:
        _threads.release()


def _next(done: _Queue, budget: Budget) -> str | None:
    try:
        found = done.get(timeout=max(0.0, budget.left))
    except queue.Empty:
        raise LlmError("the model took too long: try a faster one, or raise FICHE_LLM_SECONDS") from None
    if isinstance(found, LlmError):
        raise found
    if isinstance(found, BaseException):
        raise LlmError(f"the model failed ({type(found).__name__}): check FICHE_LLM") from found
    return found


class Model:
    """One model at one endpoint.

    Args:
        settings: `llm`, `llm_url` and `llm_key` say which.

    Raises:
        LlmError: the settings name no model that can be asked.
    """

    def __init__(self, settings: Settings) -> None:
        provider, _, name = settings.llm.partition(":")
        if provider not in PROVIDERS or not name:
            raise LlmError(
                "no language model is set: set FICHE_LLM to openai:MODEL, ollama:MODEL or gguf:FILE, and FICHE_LLM_URL"
            )
        self.name, self.url = name, (settings.llm_url or PROVIDERS[provider]).rstrip("/")
        self._key = settings.llm_key.get_secret_value()

    @classmethod
    def at(cls, url: str, name: str, key: str = "") -> "Model":
        """The model `name` at an endpoint."""
        found = cls.__new__(cls)
        found.name, found.url, found._key = name, url.rstrip("/"), key
        return found

    def complete(self, system: str, user: str, *, seconds: float = 60.0, tokens: int = 1000) -> str:
        """The model's reply to one message.

        Args:
            system: what the model is to do.
            user: what it is to do that with.
            seconds: the whole time that it may take, however slowly bytes come in.
            tokens: the longest reply.

        Raises:
            LlmError: it cannot be reached, takes too long, or replies with something else than text.
        """
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        budget = Budget(seconds, tokens)
        body = self._body(messages, tokens, stream=False)
        raw = "".join(paced(lambda: self._read(body, budget), budget))
        with self._reading():
            reply = json.loads(raw)["choices"][0]["message"]["content"]
        if not isinstance(reply, str) or not reply.strip():
            raise LlmError(f"{self.url} sent an empty completion: try another model in FICHE_LLM")
        return reply.strip()

    def stream(self, messages: Sequence[Message], budget: Budget, tokens: int) -> Iterator[str]:
        """The reply in pieces as they come.

        It is whole only when the endpoint said so: what ends without that was cut off.

        Raises:
            LlmError: as `complete`; pieces before it are then part of nothing.
        """
        body = self._body(messages, budget.take(tokens), stream=True)
        ended = said = False
        for line in paced(lambda: self._read(body, budget), budget):
            if not line.startswith("data:"):
                if line.strip() and not line.startswith((":", "event:", "id:", "retry:")):
                    raise LlmError(f"{self.url} sent something else than a completion: check FICHE_LLM_URL")
                continue
            if line[5:].strip() == "[DONE]":
                ended = True
                break
            with self._reading():
                piece, finished = _delta(json.loads(line[5:]))
            said, ended = said or bool(piece.strip()), ended or finished
            if piece:
                yield piece
        if not ended:
            raise LlmError(f"{self.url} broke off in the middle: try again")
        if not said:
            raise LlmError(f"{self.url} sent an empty completion: try another model in FICHE_LLM")

    def _body(self, messages: Sequence[Message], tokens: int, *, stream: bool) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": tokens,
            "stream": stream,
        }

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise LlmError(f"{self.url} sent something else than a completion: check FICHE_LLM_URL") from error

    def _read(self, body: dict[str, Any], budget: Budget) -> Iterator[str]:
        """The lines of the reply."""
        left = max(0.1, budget.left)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        count, buffer = 0, b""
        try:
            with (
                httpx.Client(timeout=httpx.Timeout(left), follow_redirects=False) as client,
                client.stream("POST", f"{self.url}/chat/completions", json=body, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise LlmError(f"{self.url} refused with status {response.status_code}: {_advice(response)}")
                for raw in response.iter_bytes():
                    count, buffer = count + len(raw), buffer + raw
                    if count > _MAX_BYTES or (body["stream"] and len(buffer) > _MAX_LINE):
                        raise LlmError(f"{self.url} sent more than a completion: check FICHE_LLM_URL")
                    *lines, buffer = buffer.split(b"\n") if body["stream"] else [buffer]
                    yield from (line.decode("utf-8").rstrip("\r") for line in lines)
                yield buffer.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LlmError(f"{self.url} sent bytes that are not text: check FICHE_LLM_URL") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise LlmError(f"{self.url} does not answer ({type(error).__name__}): check FICHE_LLM_URL") from error


def _advice(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return "too many requests; try again later"
    return "check FICHE_LLM, FICHE_LLM_URL and the key"


def _delta(event: Any) -> tuple[str, bool]:
    """What an event of a stream adds, and whether it says that the reply is whole."""
    if not isinstance(event, dict) or event.get("error"):
        raise ValueError("an error instead of a completion")
    if not event.get("choices"):
        return "", False  # what some endpoints send at the end: how many tokens were used
    choice = event["choices"][0]
    content = (choice.get("delta") or {}).get("content")
    if content is not None and not isinstance(content, str):
        raise TypeError("a piece that is no text")
    return content or "", bool(choice.get("finish_reason"))
