"""Programs and assistants get what `--json` gives: over Gradio's endpoints, MCP on a pipe, and MCP over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from gradio_client import Client as GradioClient
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from rag.engine import Engine
from tests.web import Site, serving
from ui.web.app import make_app
from ui.web.guard import Guard

MINISTRY = "Welk ministerie is eerstverantwoordelijk?"
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
JSON = {"accept": "application/json, text/event-stream"}


def talk(server: Any, call: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `call` makes of a real MCP client that is connected to `server`."""

    async def run() -> Any:
        async with asyncio.timeout(120), Client(server) as client:
            return await call(client)

    return asyncio.run(run())


async def everything(client: Client) -> dict[str, Any]:
    """The tools, and what each gives."""
    tools = (await client.list_tools()).tools
    asked = await client.call_tool("ask", {"question": MINISTRY})
    found = await client.call_tool("retrieve", {"question": MINISTRY, "lang": "nl", "top": 3})
    whole = await client.call_tool("document", {"name": "kst-22112-3908"})
    wrong = [
        await client.call_tool("ask", {"question": "?!"}),
        await client.call_tool("ask", {"question": "x " * 1500}),
        await client.call_tool("document", {"name": "nergens"}),
        await client.call_tool("ask", {"question": MINISTRY, "lang": "fr"}),
    ]
    return {"tools": tools, "asked": asked, "found": found, "whole": whole, "wrong": wrong}


def checked(told: dict[str, Any], engine: Engine) -> None:
    """All that `everything` came back with, against the engine itself."""
    expected = engine.ask(MINISTRY).to_json()
    assert [tool.name for tool in told["tools"]] == ["ask", "retrieve", "document"]
    for tool in told["tools"]:
        assert "Args:" in tool.description
        assert tool.annotations.read_only_hint
    schema = told["tools"][0].output_schema
    assert {"question", "lang", "answer", "abstained", "confidence", "citations"} <= set(schema["required"])
    asked = told["asked"].structured_content
    assert {**asked, "timings_ms": None} == {**expected, "timings_ms": None}
    assert json.loads(told["asked"].content[0].text) == asked
    assert told["found"].structured_content["passages"] == expected["passages"][:3]
    whole, cited = told["whole"].structured_content, asked["citations"][0]
    assert whole["text"][cited["start"] : cited["end"]] == cited["quote"]
    assert whole["sections"][0] == {"id": "1", "title": "Algemene gegevens", "page": 1, "start": 74}
    assert all(reply.is_error for reply in told["wrong"])
    texts = [reply.content[0].text for reply in told["wrong"]]
    assert texts[0].endswith(": There is nothing to ask here: type a question in words.")
    assert "too long" in texts[1]
    assert "it holds" in texts[2]
    assert "'auto', 'nl' or 'en'" in texts[3]
    assert not [text for text in texts if "Traceback" in text]


@pytest.fixture(scope="module")
def client(site: Site) -> GradioClient:
    return GradioClient(site.url, verbose=False)


def test_the_endpoints_give_what_json_gives(site: Site, client: GradioClient) -> None:
    found = client.predict(MINISTRY, api_name="/ask")
    expected = site.engine.ask(MINISTRY).to_json()
    assert {**found, "timings_ms": None} == {**expected, "timings_ms": None}
    got = client.predict(MINISTRY, "nl", 3, api_name="/retrieve")
    assert got["passages"] == expected["passages"][:3]
    document = client.predict("kst-22112-3908", api_name="/document")
    cited = found["citations"][0]
    assert document["text"][cited["start"] : cited["end"]] == cited["quote"]
    assert document["sections"][0] == {"id": "1", "title": "Algemene gegevens", "page": 1, "start": 74}


def test_the_endpoints_are_documented_and_no_others_are(client: GradioClient) -> None:
    described = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(described) == {"/ask", "/retrieve", "/document"}
    assert "fiche ask --json" in json.dumps(described["/ask"])
    assert [p["parameter_name"] for p in described["/ask"]["parameters"]] == [
        *("question", "lang", "document", "since", "until", "ministry"),
    ]


@pytest.mark.parametrize(("question", "told"), [("", "nothing to ask"), ("x " * 1500, "too long")])
def test_a_bad_question_is_a_sentence_for_programs_too(question: str, told: str, client: GradioClient) -> None:
    with pytest.raises(Exception, match=told):
        client.predict(question, api_name="/ask")


def test_an_assistant_asks_over_http(site: Site) -> None:
    checked(talk(f"{site.url}/mcp", everything), site.engine)


def test_an_assistant_is_told_to_cite_and_not_to_answer_from_memory(site: Site) -> None:
    async def instructions(client: Client) -> str:
        return client.instructions or ""

    told = talk(f"{site.url}/mcp", instructions)
    assert "verbatim quote" in told
    assert "do not answer from memory" in told


@pytest.mark.model
def test_an_assistant_asks_on_a_pipe(engine: Engine, home: Path) -> None:
    command = [sys.executable, "-c", "from ui.cli import main; main()", "mcp"]
    server = StdioServerParameters(command=command[0], args=command[1:], env={**os.environ, "FICHE_HOME": str(home)})
    checked(talk(server, everything), engine)


def test_the_road_for_assistants_has_the_limits_and_headers_of_the_page(site: Site) -> None:
    url = f"{site.url}/mcp"
    reply = httpx.post(url, json=INITIALIZE, headers=JSON)
    assert reply.status_code == 200
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert httpx.get(url, headers=JSON).status_code == 405
    assert httpx.post(url, json=INITIALIZE, headers={**JSON, "origin": "https://elders.example"}).status_code == 403
    assert httpx.post(url, json=INITIALIZE, headers={**JSON, "host": "elders.example"}).status_code == 421
    assert httpx.post(url, json=INITIALIZE, headers={**JSON, "origin": site.url}).status_code == 200
    assert httpx.post(url, content=b"x" * 3_000_001, headers=JSON).status_code == 413
    assert httpx.post(url, content=b"{", headers={**JSON, "content-type": "application/json"}).status_code == 400


def test_an_assistant_sends_so_many_requests_a_minute(site: Site) -> None:
    with serving(Guard(make_app(site.service, []), rate=2)) as url:
        codes = [httpx.post(f"{url}/mcp", json=INITIALIZE, headers=JSON).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_an_assistant_logs_in_where_a_login_is_set(site: Site) -> None:
    async def asked(client: Client) -> Any:
        return (await client.call_tool("ask", {"question": MINISTRY})).structured_content

    with serving(Guard(make_app(site.service, [("bo", "x"), ("an", "ge:heim")]))) as url:
        for wrong in (None, ("an", "fout"), ("an", ""), ("", "")):
            reply = httpx.post(f"{url}/mcp", json=INITIALIZE, headers=JSON, auth=wrong)
            assert reply.status_code == 401
            assert reply.headers["www-authenticate"] == 'Basic realm="fiche"'
        for header in ("Basic", "Basic !!", "Bearer YW46Z2U6aGVpbQ=="):
            bad = httpx.post(f"{url}/mcp", json=INITIALIZE, headers={**JSON, "authorization": header})
            assert bad.status_code == 401
        assert talk(_logged_in(f"{url}/mcp", "an", "ge:heim"), asked)["citations"]


@asynccontextmanager
async def _logged_in(url: str, name: str, password: str) -> AsyncIterator[Any]:
    async with (
        httpx2.AsyncClient(auth=(name, password)) as known,
        streamable_http_client(url, http_client=known) as streams,
    ):
        yield streams
