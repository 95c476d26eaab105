"""Every road of the running page, given anything but what it expects: a reply or a clear refusal, never a crash."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.routing import Mount, Route

from tests.web import ANYWHERE, Site, serving
from ui.web.app import make_app
from ui.web.guard import Guard

WRONG: list[Any] = [
    None, True, 0, -1, 1e308, 10**400, "", "x", "\0", "\ud800", "../../etc/passwd", [], [None], [[]], {}, {"": None},
    {"question": {"question": []}}, {"question": None, "history": 3}, {"history": [[], {}]}, {"id": {}, "remove": "x"},
    {"name": [], "content": {}}, {"name": "x", "content": "%%%"}, {"quotes": 7}, {"quotes": [1, None, {}]},
    {"limit": "９", "name": "x"}, {"limit": [], "name": None}, {"lang": [], "name": "../x"}, {"verdict": {}, "lang": 1},
    {"stop": []},
]  # fmt: skip
REFUSED_MS = 100


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def server_functions(site: Site) -> list[tuple[int, str]]:
    """What the page may call, as the running page says."""
    config = httpx.get(f"{site.url}/config").json()
    found = [
        (component["id"], name)
        for component in config["components"]
        for name in component.get("props", {}).get("server_fns") or []
    ]
    assert len(found) >= 10
    return sorted(found, key=lambda each: each[1])  # the page lists them in an order of its own at each start


def call(site: Site, component: int, name: str, value: Any) -> httpx.Response:
    body = {"data": value, "fn_name": name, "component_id": component, "session_hash": "x"}
    return httpx.post(f"{site.url}/gradio_api/component_server", content=raw(body), headers=JSON, timeout=30)


JSON = {"content-type": "application/json"}


EVERY = [pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(3600)], id="all"), pytest.param(4, id="some")]


@pytest.mark.parametrize("step", EVERY)
def test_what_the_page_calls_takes_anything(
    site: Site, step: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from ui.web.app import _PUBLIC

    functions = server_functions(site)
    assert {name for _, name in functions} == set(_PUBLIC)
    before = list(site.engine.snapshot.documents)
    quickest: dict[str, float] = {}
    for number, (component, name) in enumerate(functions):
        for value in WRONG[number % step :: step]:
            began = time.perf_counter()
            reply = call(site, component, name, value)
            taken = 1000 * (time.perf_counter() - began)
            assert reply.status_code == 200, (name, value, reply.text)
            told = reply.json()
            assert isinstance(told, dict), (name, value)
            if told.get("error"):
                assert set(told["error"]) == {"nl", "en"}
                assert "Traceback" not in reply.text
                if name not in ("add_document", "run_set"):  # one reads in a process of its own, one begins a task
                    quickest[name] = min(taken, quickest.get(name, taken))
            _ended(site)
    assert {"add_set", "feedback", "feedback_change", "report"} <= set(quickest)
    assert max(quickest.values()) < REFUSED_MS, quickest  # at its best: what else the machine does is not counted
    assert list(site.engine.snapshot.documents) == before
    assert not [record for record in caplog.records if record.exc_info]
    assert "Traceback" not in "".join(capfd.readouterr())


def _ended(site: Site) -> None:
    while site.service.jobs.state()["running"]:
        time.sleep(0.01)


def named_endpoints(site: Site) -> dict[str, int]:
    """The endpoints for programs, and how many values each takes."""
    told = httpx.get(f"{site.url}/gradio_api/info").json()["named_endpoints"]
    found = {name.strip("/"): len(about["parameters"]) for name, about in told.items()}
    assert set(found) == {"ask", "retrieve", "document"}
    return found


def ask(site: Site, name: str, data: Any) -> str:
    event = httpx.post(f"{site.url}/gradio_api/call/{name}", content=raw({"data": data}), headers=JSON, timeout=30)
    if event.status_code != 200 or "event_id" not in event.json():
        assert event.status_code < 500, event.text
        return "refused"
    told = httpx.get(f"{site.url}/gradio_api/call/{name}/{event.json()['event_id']}", timeout=30).text
    assert "Traceback" not in told
    assert told.startswith(("event: complete", "event: error")), told
    return told


@pytest.mark.parametrize("step", EVERY)
def test_programs_may_send_anything(site: Site, step: int, capfd: pytest.CaptureFixture[str]) -> None:
    sane: dict[str, list[Any]] = {
        "ask": ["Welk ministerie?", "auto", *ANYWHERE],
        "retrieve": ["Welk ministerie?", "nl", 3, *ANYWHERE],
    }
    sane["document"] = ["kst-22112-3908"]
    for name, count in named_endpoints(site).items():
        assert ask(site, name, sane[name]).startswith("event: complete"), name
        jobs = [
            [*sane[name][:place], value, *sane[name][place + 1 :]]
            for place in range(count)
            for value in WRONG[place % step :: step]
        ]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda data, name=name: ask(site, name, data), [*jobs, [], [1] * 40, None, "x", {}]))
        assert ask(site, name, sane[name]).startswith("event: complete"), name
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("step", EVERY)
def test_assistants_may_send_anything(site: Site, step: int) -> None:
    headers = {**JSON, "accept": "application/json, text/event-stream"}
    shapes = [lambda v: v, lambda v: {"question": v}, lambda v: {"question": "Wat?", "lang": v}, lambda v: {"name": v}]
    jobs = [(name, shape(value)) for name in ("ask", "retrieve", "document") for value in WRONG for shape in shapes]
    for name, arguments in [*jobs[:: 2 * step - 1], ("none", {}), (3, {}), (None, None)]:
        params = {"name": name, "arguments": arguments}
        body = raw({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        reply = httpx.post(f"{site.url}/mcp", content=body, headers=headers, timeout=30)
        assert reply.status_code < 500, (name, arguments, reply.text)
        told = reply.json()
        assert "error" in told or "result" in told
        assert "Traceback" not in reply.text


def roads(site: Site) -> Iterator[tuple[str, str]]:
    """Every path and method of the running application, its gaps filled."""

    def below(routes: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for route in routes:
            path = prefix + (getattr(route, "path", "") or "")
            if isinstance(route, Mount):
                yield from below(route.routes, path.rstrip("/"))
            elif hasattr(route, "original_router"):  # how FastAPI keeps a router within another
                yield from below(route.original_router.routes, prefix)
            elif isinstance(route, Route):
                for method in route.methods or {"GET", "POST"}:
                    yield method, "/".join("x" if part.startswith("{") else part for part in path.split("/"))

    yield from below(make_app(site.service, []).routes, "")


_STREAMS = ("/heartbeat", "/queue/data", "/call/x/x", "/stream", "/dev/reload")
"""What answers for as long as somebody listens."""


def test_every_road_takes_any_body(site: Site) -> None:
    bodies = [b"", b"{", b"null", b"[]", b"3", b'"x"', b"\xff\xfe", raw({"data": None}), raw({"data": {"data": []}}),
              raw({"fn_index": "x", "session_hash": [], "data": {}}),
              raw({"component_id": {}, "fn_name": [], "data": 1}),
              b"[" * 5000]  # fmt: skip
    found = {(m, p) for m, p in roads(site) if m in ("POST", "PUT", "DELETE", "PATCH")}
    assert {"/gradio_api/call/x", "/gradio_api/component_server", "/gradio_api/queue/join"} <= {p for _, p in found}
    crashed = [
        (method, path, body[:40])
        for (method, path), body in itertools.product(sorted(found), bodies)
        if not any(part in path for part in _STREAMS)
        and httpx.request(method, site.url + path, content=body, headers=JSON, timeout=30).status_code == 500
    ]
    assert crashed == []


def test_a_body_of_twenty_megabytes_is_refused_at_once(site: Site) -> None:
    """Before it has come in: only its length was told."""
    for path in ("/gradio_api/call/ask", "/gradio_api/component_server", "/gradio_api/queue/join", "/mcp", "/login"):
        taken = []
        for _ in range(5):
            connection = HTTPConnection("127.0.0.1", urlsplit(site.url).port or 0, timeout=30)
            connection.connect()
            began = time.perf_counter()
            connection.putrequest("POST", path)
            connection.putheader("content-length", "20000000")
            connection.endheaders()
            assert connection.getresponse().status == 413, path
            taken.append(1000 * (time.perf_counter() - began))
            connection.close()
        assert min(taken) < REFUSED_MS, path


def test_no_road_is_open_before_the_login(site: Site) -> None:
    """Enumerated from the running application: whatever is added to it is asked here too."""
    public = []
    inside = [d.text[at : at + 40] for d in site.engine.snapshot.documents.values() for at in (50, 900, 2000)]
    inside += [d.title for d in site.engine.snapshot.documents.values()]
    with serving(Guard(make_app(site.service, [("an", "geheim")]))) as url:
        for method, path in sorted(set(roads(site))):
            if method in ("HEAD", "OPTIONS") or any(part in path for part in _STREAMS):
                continue
            reply = httpx.request(method, url + path, content=b"{}", headers=JSON, timeout=30)
            if reply.status_code < 400:
                public.append((method, path, reply.text))
    for _, path, text in public:
        assert not any(words in text for words in inside), path
    assert {path for method, path, _ in public if method == "POST"} <= {"/login", "/login/"}
    print([path for _, path, _ in public])
