"""What the log says, and that nobody's question is in it unless that was asked for."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.test_cli import run
from tests.web import ANYWHERE, Site
from ui.log import LineFormatter, Mode

WORD = "Zwanenburgwal"
ASKED = f"Welk ministerie is eerstverantwoordelijk voor de {WORD}?"


def written(mode: Mode, record: logging.LogRecord) -> str:
    return LineFormatter(mode).format(record)


def record(name: str, message: str, error: Exception | None = None, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "/x/y.py", 7, message, (), None)
    if error:
        made.exc_info = (type(error), error, error.__traceback__)
    made.__dict__.update(extra)
    return made


def failed() -> Exception:
    try:
        raise ValueError(f"no way to read {WORD}")
    except ValueError as error:
        return error


def test_an_error_tells_its_kind_and_place_and_not_its_words() -> None:
    made = record("ui.web.trouble", "unexpected error", failed())
    assert written("off", made).startswith("fiche: unexpected error (ValueError; test_log.py:")
    events, questions = json.loads(written("events", made)), json.loads(written("questions", made))
    assert events["error"] == "ValueError"
    assert events["where"][0].endswith("failed")
    assert WORD in questions["error"]
    assert all(WORD not in written(mode, made) for mode in ("off", "events"))


def test_another_librarys_message_is_not_repeated() -> None:
    made = record("mcp.server", f"invalid request: {WORD}")
    assert written("off", made) == "fiche: a message of mcp.server (y.py:7)"
    assert WORD not in written("events", made)
    assert json.loads(written("questions", made))["event"] == f"invalid request: {WORD}"


def test_words_travel_apart() -> None:
    made = record("rag.noting", "answered", fields={"ms": 3}, words={"question": WORD})
    assert json.loads(written("events", made))["ms"] == 3
    assert WORD not in written("events", made)
    assert json.loads(written("questions", made))["question"] == WORD
    assert "\n" not in written("questions", record("rag.x", "a\nb"))


@pytest.mark.model
@pytest.mark.parametrize("mode", ["off", "events", "questions", None])
def test_the_command_line_keeps_questions_to_itself(home: Path, mode: str | None) -> None:
    env = {} if mode is None else {"FICHE_LOG": mode}
    done = run(home, "ask", "--json", "-", stdin=f"{ASKED}\n\0{WORD}\n{WORD * 999}\n".encode(), env=env)
    said = done.stderr.decode()
    assert (WORD in said) == (mode == "questions")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines]
    assert events == ([] if mode in ("off", None) else ["answered", "not asked", "not asked", "fiche ask ended"])
    if lines:
        assert lines[0]["chars"] == len(ASKED)
        assert lines[-1]["status"] == 2
        assert all(line["time"] and line["level"] == "info" for line in lines)


@pytest.fixture(params=["off", "events", "questions"])
def logged(request: pytest.FixtureRequest) -> Iterator[tuple[str, io.StringIO]]:
    """What the log of this process says, in each of its manners."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(request.param))
    root, rag = logging.getLogger(), logging.getLogger("rag")
    level = rag.level
    root.addHandler(handler)
    rag.setLevel(logging.WARNING if request.param == "off" else logging.INFO)
    try:
        yield request.param, stream
    finally:
        root.removeHandler(handler)
        rag.setLevel(level)


def test_the_page_keeps_questions_to_itself(
    site: Site, logged: tuple[str, io.StringIO], capfd: pytest.CaptureFixture[str]
) -> None:
    mode, stream = logged
    list(site.service.answer({"question": ASKED}))
    list(site.service.answer({"question": WORD * 999}))
    for data in ([ASKED, "auto", *ANYWHERE], [{"x": WORD}, "auto", *ANYWHERE], [[WORD], WORD, *ANYWHERE], [WORD]):
        event = httpx.post(f"{site.url}/gradio_api/call/ask", json={"data": data}).json()
        if "event_id" in event:
            httpx.get(f"{site.url}/gradio_api/call/ask/{event['event_id']}", timeout=30)
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    for arguments in ({"question": ASKED}, {"question": {"x": WORD}}, {WORD: WORD}, [WORD]):
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": arguments}}
        httpx.post(f"{site.url}/mcp", json=call, headers=headers)
    httpx.post(f"{site.url}/mcp", content=f'{{"{WORD}'.encode(), headers=headers)
    told = stream.getvalue()
    out, err = capfd.readouterr()
    assert (WORD in told) == (mode == "questions"), told
    assert WORD not in out + err
