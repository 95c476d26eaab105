"""A language model that misbehaves, in every way that is known, costs an answer nothing but a few seconds."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, CustomLLM
from pydantic import Field

from index.build import open_snapshot
from index.errors import InputError
from index.settings import Settings, load_settings
from rag.author import Author
from rag.engine import Engine
from rag.llama_llm import EndpointLLM, open_llm, spoken
from rag.llm import Budget, LlmError, Message, Model
from tests.conftest import WordHashEncoder
from tests.test_cli import run
from tests.web import CALIBRATION

ASKED: list[Message] = [{"role": "user", "content": "Vraag?"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
GRACE = 2.0
"""Seconds beyond the budget that a busy machine may take."""


def event(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": None}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
WHOLE = HEAD + event(content="Een ") + event(content="antwoord. [1]") + DONE


def _reply(*pieces: bytes, every: float = 0.0) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(every)

    return play


def _hold(*pieces: bytes) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        _reply(*pieces)(connection)
        connection.settimeout(30)
        while connection.recv(1000):
            pass

    return play


def _endless(piece: bytes, every: float) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            connection.sendall(piece)
            time.sleep(every)

    return play


def _status(line: bytes, *headers: bytes) -> Callable[[socket.socket], None]:
    return _reply(b"\r\n".join([b"HTTP/1.1 " + line, *headers, b"Content-Length: 2", b"", b"{}"]))


def _json(body: bytes) -> Callable[[socket.socket], None]:
    return _reply(HEAD + body)


MISBEHAVIOUR: dict[str, Callable[[socket.socket], None]] = {
    "hangs up": _reply(),
    "429": _status(b"429 Too Many Requests"),
    "429 with a time": _status(b"429 Too Many Requests", b"Retry-After: 3600"),
    "500": _status(b"500 Internal Server Error"),
    "redirect": _status(b"302 Found", b"Location: http://127.0.0.1:1/"),
    "login page": _json(b"<!doctype html><html><title>Log in</title></html>"),
    "empty body": _json(b""),
    "no text": _json(b"data: \xff\xfe\n\n"),
    "no choices": _json(b'data: {"choices": []}\n\n' + DONE),
    "null": _json(event(content=None) + DONE),
    "a number": _json(event(content=7) + DONE),
    "only blanks": _json(event(content="  \n") + DONE),
    "broken chunk": _json(b'data: {"choices": [{"delta": {"cont\n\n' + DONE),
    "error in mid-stream": _json(event(content="Een ") + b'data: {"error": {"message": "overloaded"}}\n\n'),
    "cut": _json(event(content="Een antwoord. [1]")),
    "cut in a line": _json(event(content="Een antwoord. [1]") + b'data: {"choi'),
    "silence": _hold(),
    "silence after the head": _hold(HEAD),
    "stalls": _hold(HEAD, event(content="Een ")),
    "endless words": _endless(event(content="en "), 0.02),
    "endless comments": _endless(b": wait\n\n", 0.05),
    "endless line": _endless(b"data: " + b"x" * 1000, 0.001),
    "trickling head": _reply(*[b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 30], every=0.3),
}


@contextmanager
def serving(play: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server that plays `play` to each who asks, and what it was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        try:
            with connection:
                asked.append(_request(connection))
                play(connection)
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", asked
    finally:
        listener.close()


def _request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(
        next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def test_a_stream_arrives_in_pieces() -> None:
    with serving(_reply(WHOLE)) as (url, asked):
        found = list(spoken(EndpointLLM(Model.at(url, "klein", "geheim")), ASKED, Budget(5, 50), 50))
    assert "".join(found) == "Een antwoord. [1]"
    assert len(found) == 2
    body = json.loads(asked[0].partition(b"\r\n\r\n")[2])
    assert (body["model"], body["max_tokens"], body["stream"], body["temperature"]) == ("klein", 50, True, 0)
    assert b"Bearer geheim" in asked[0]


def test_it_is_an_llm_of_llama_index() -> None:
    with serving(_reply(WHOLE)) as (url, _):
        llm = EndpointLLM(Model.at(url, "klein"))
        assert llm.complete("Vraag?").text == "Een antwoord. [1]"
        assert llm.chat([ChatMessage(content="Vraag?")]).message.content == "Een antwoord. [1]"
        assert [r.delta for r in llm.stream_complete("Vraag?")] == ["Een ", "antwoord. [1]"]
    assert llm.metadata.model_name == "klein"


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_misbehaving_endpoint_is_an_error_in_time_that_keeps_the_key(name: str) -> None:
    with serving(MISBEHAVIOUR[name]) as (url, asked):
        began = time.monotonic()
        with pytest.raises(LlmError) as error:
            list(spoken(EndpointLLM(Model.at(url, "klein", "geheim")), ASKED, Budget(1.5, 50), 50))
        assert time.monotonic() - began < 1.5 + GRACE
        assert len(asked) <= 1, "nothing is retried"
    assert "geheim" not in str(error.value)
    assert "\n" not in str(error.value)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(LlmError, match="does not answer"):
        list(spoken(EndpointLLM(Model.at(f"http://127.0.0.1:{port}/v1", "x")), ASKED, Budget(2, 50), 50))


class Foreign(CustomLLM):
    """Any LLM of LlamaIndex, as somebody may give one in Python."""

    pieces: list[Any] = Field(default_factory=list)
    every: float = 0.0

    @property
    def metadata(self) -> Any:
        from llama_index.core.llms import LLMMetadata

        return LLMMetadata(model_name="vreemd")

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        from llama_index.core.llms import CompletionResponse

        def responses() -> Iterator[Any]:
            for piece in self.pieces:
                time.sleep(self.every)
                if isinstance(piece, Exception):
                    raise piece
                yield CompletionResponse(text=piece or "", delta=piece)

        return responses()


@pytest.mark.parametrize(
    ("pieces", "every"),
    [([], 0.0), ([None], 0.0), (["a", RuntimeError("geheim")], 0.0), (["a"] * 1000, 0.2), (["a" * 999] * 99, 0.0)],
    ids=["nothing", "none", "raises", "slow", "does not stop"],
)
def test_the_clock_is_kept_for_a_foreign_llm_too(pieces: list[Any], every: float) -> None:
    began = time.monotonic()
    with pytest.raises(LlmError) as error:
        list(spoken(Foreign(pieces=pieces, every=every), ASKED, Budget(1.0, 50), 50))
    assert time.monotonic() - began < 1.0 + GRACE
    assert "geheim" not in str(error.value)


def test_one_budget_serves_every_request_of_a_question() -> None:
    budget = Budget(5, 100)
    assert (budget.take(60), budget.take(60)) == (60, 40)
    with pytest.raises(LlmError, match="used up"):
        budget.take(1)


def test_a_hanging_endpoint_does_not_gather_threads() -> None:
    with serving(_hold()) as (url, _):
        before = set(_reading())
        for _ in range(40):
            with pytest.raises(LlmError):
                list(spoken(EndpointLLM(Model.at(url, "x")), ASKED, Budget(0.05, 50), 50))
        assert len(_reading()) <= 16
    deadline = time.monotonic() + 20
    while set(_reading()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not set(_reading()) - before, "they end with their budget"


def _reading() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fiche-llm"]


@pytest.mark.parametrize("name", ["klein", "openai:", "mistral:x", "gguf:/nergens.gguf"])
def test_a_model_that_cannot_be_named_so_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        open_llm(load_settings(home=tmp_path, llm=name))


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"geen model")
    with pytest.raises(InputError, match="no GGUF"):
        open_llm(load_settings(home=tmp_path, llm=f"gguf:{tmp_path / 'x.gguf'}"))


@pytest.fixture
def quoting(tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch) -> Engine:
    from index.build import build_index

    monkeypatch.setattr("index.build.model_fingerprint", lambda _: fake.fingerprint)
    settings = Settings(home=tmp_path)
    build_index(settings, fake)
    return Engine(open_snapshot(settings), fake, CALIBRATION)


QUESTION = "Op welk terrein van betrouwbare AI wil de Commissie start-ups en innovatie stimuleren?"


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_the_answer_then_quotes_in_time_labelled_with_one_line_in_the_log(
    name: str, quoting: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    expected = quoting.ask(QUESTION)
    assert not expected.abstained
    with serving(MISBEHAVIOUR[name]) as (url, _), caplog.at_level(logging.INFO):
        engine = Engine(
            quoting.snapshot,
            quoting.encoder,
            CALIBRATION,
            author=Author(EndpointLLM(Model.at(url, "klein", "geheim")), 1.5),
        )
        began = time.monotonic()
        answer = engine.ask(QUESTION, history=["Wat wil de Commissie?"])
        assert time.monotonic() - began < 1.5 + GRACE
    assert (answer.answer, answer.citations, answer.mode) == (expected.answer, expected.citations, "extractive")
    assert answer.writing
    assert answer.writing.failure
    assert answer.to_json()["llm"]["failure"]
    ours = [record for record in caplog.records if record.name.startswith("rag") and record.levelno >= logging.WARNING]
    assert len(ours) == 1
    assert "geheim" not in caplog.text + json.dumps(answer.to_json())


@pytest.mark.model
def test_the_command_falls_back_within_ten_seconds_and_says_so(home: Path) -> None:
    with serving(_endless(event(content="en "), 0.05)) as (url, _):
        env = {"FICHE_LLM": "openai:x", "FICHE_LLM_URL": url, "FICHE_LLM_KEY": "geheim", "FICHE_LLM_SECONDS": "2"}
        done = run(home, "ask", "Welk ministerie is eerstverantwoordelijk?", env=env)
    assert done.returncode == 0
    assert "Ministerie van Economische Zaken en Klimaat" in done.stdout.decode()
    assert "geen bruikbaar antwoord" in done.stdout.decode()
    assert done.stderr.decode().count("\n") == 1
    assert b"geheim" not in done.stdout + done.stderr
