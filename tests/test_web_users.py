"""The page with a login, and several users: what each keeps apart, and what they share."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import WordHashEncoder
from tests.web import Site, running, serving, until
from ui.web.app import make_app
from ui.web.guard import Guard
from ui.web.jobs import Jobs

USERS = [("an", "geheim"), ("bo", "ook geheim")]
QUESTION = {"id": "q1-nl", "question": "Welk ministerie?", "lang": "nl", "answerable": False, "evidence": [],
            "facts": [], "tags": ["eigen"]}  # fmt: skip
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A chat that asks for no login, and the address of the same one behind a login."""
    with (
        running(tmp_path_factory.mktemp("users"), WordHashEncoder()) as site,
        serving(Guard(make_app(site.service, USERS))) as url,
    ):
        yield site, url


@contextmanager
def caller(url: str, name: str = "") -> Iterator[Call]:
    """Calls what the page calls, logged in as `name`."""
    with httpx.Client(base_url=url, timeout=30) as web:
        if name:
            assert web.post("/login", data={"username": name, "password": dict(USERS)[name]}).status_code == 200
        ids = {
            function: component["id"]
            for component in web.get("/config").json()["components"]
            for function in component.get("props", {}).get("server_fns") or []
        }

        def call(function: str, **data: Any) -> Any:
            body = {"data": data, "fn_name": function, "component_id": ids[function], "session_hash": "same"}
            reply = web.post("/gradio_api/component_server", json=body)
            assert reply.status_code == 200, reply.text
            return reply.json()

        call.__dict__.update(ids=ids, web=web)
        yield call


def ended(call: Call) -> Any:
    """The task of a user, once it has ended."""
    for _ in range(1000):
        if not (state := call("job"))["running"]:
            return state
        time.sleep(0.02)
    raise AssertionError("it never ended")


def upload(questions: int) -> dict[str, str]:
    lines = [json.dumps({**QUESTION, "id": f"q{number}-nl"}) for number in range(questions)]
    return {"name": "mijn set.jsonl", "content": base64.b64encode("\n".join(lines).encode()).decode()}


def kept(call: Call) -> tuple[dict[str, int], list[str], list[str]]:
    """A user's own sets with their sizes, runs, and questions of feedback."""
    found = call("evaluation")
    sets = {each["name"]: each["questions"] for each in found["sets"]}
    own = {name: sets[name] for name in ("mijn-set.jsonl", "feedback.jsonl") if name in sets}
    return own, [run["name"] for run in found["runs"]], [line["question"] for line in found["lines"]]


def test_nothing_is_called_before_the_login(own: tuple[Site, str]) -> None:
    _, url = own
    with caller(url, "an") as an:
        ids, cookies = an.__dict__["ids"], dict(an.__dict__["web"].cookies)
        assert len(ids) >= 10
        for function, component in ids.items():
            body = {"data": {}, "fn_name": function, "component_id": component, "session_hash": "same"}
            for wrong in ({}, dict.fromkeys(cookies, "x"), dict.fromkeys(cookies, "an")):
                reply = httpx.post(f"{url}/gradio_api/component_server", json=body, cookies=wrong)
                assert reply.status_code == 401, function
        an.__dict__["web"].get("/logout")
        again = httpx.post(f"{url}/gradio_api/component_server", json=body, cookies=cookies)
        assert again.status_code == 401


def test_each_user_sees_and_changes_their_own(own: tuple[Site, str]) -> None:
    site, url = own
    with caller(url, "an") as an, caller(url, "bo") as bo, caller(site.url) as nobody:
        assert an("add_set", **upload(2)) == {"name": "mijn-set.jsonl"}
        document = next(iter(site.engine.snapshot.documents))
        assert an("feedback", question="Van An?", lang="nl", verdict="should_refuse", document=document) == {"ok": True}
        assert an("run_set", name="mijn-set.jsonl")["kind"] == "run"
        run = ended(an)["result"]
        assert kept(an) == ({"mijn-set.jsonl": 2, "feedback.jsonl": 1}, [run], ["Van An?"])
        assert "srcdoc" in an("report", name=run, lang="nl")["frame"]
        for other in (bo, nobody):
            assert kept(other) == ({}, [], [])
            assert "gone" in other("report", name=run)["error"]["en"]
            assert "result" in other("run_set", name="mijn-set.jsonl")
            assert "gone" in ended(other)["error"]["en"]
            other("run_set", name="fiche.jsonl", limit="1", earlier=run)
            assert "gone" in ended(other)["error"]["en"]
        line = an("evaluation")["lines"][0]["id"]
        assert "gone" in bo("feedback_change", id=line, question="Van Bo?", answerable=False)["error"]["en"]
        assert bo("feedback_change", id=line, remove=True) == {"lines": []}
        bo("add_set", **upload(1))
        assert kept(bo) == ({"mijn-set.jsonl": 1, "feedback.jsonl": 0}, [], [])
        assert kept(an) == ({"mijn-set.jsonl": 2, "feedback.jsonl": 1}, [run], ["Van An?"])
    with caller(url, "an") as an:  # at another login, and in another process, the same things
        assert kept(an)[1] == [run]
    fresh = type(site.service)(site.settings, site.engine).of("an")
    assert [each["name"] for each in fresh.evaluation({})["runs"]] == [run]
    folder = site.settings.home / "users" / hashlib.sha256(b"an").hexdigest()[:16]
    assert {path.name for path in folder.iterdir()} == {"sets", "runs", "feedback.jsonl"}


def test_without_a_login_all_is_kept_in_one_place(own: tuple[Site, str]) -> None:
    site, url = own
    with caller(site.url) as one, caller(site.url) as two, caller(url, "bo") as bo:
        before = kept(bo)
        one("add_set", **upload(3))
        one("feedback", question="Van iedereen?", lang="nl", verdict="should_refuse")
        assert kept(two) == ({"mijn-set.jsonl": 3, "feedback.jsonl": 1}, [], ["Van iedereen?"])
        assert (site.settings.home / "sets" / "mijn-set.jsonl").is_file()
        assert (site.settings.home / "feedback.jsonl").is_file()
        assert kept(bo) == before
        two("feedback_change", id=one("evaluation")["lines"][0]["id"], remove=True)
        assert kept(one)[2] == []


def test_a_task_is_its_owners(own: tuple[Site, str]) -> None:
    site, url = own

    def task(progress: Callable[[int, int], None]) -> None:
        for done in range(3000):
            progress(done, 3000)
            time.sleep(0.01)

    with caller(url, "an") as an, caller(url, "bo") as bo:
        site.service.jobs.start("run", task, "an")
        before = bo("job")
        assert (before["busy"], before["running"], before["result"]) == (True, False, None)
        bo("job", stop=True)
        for refused in (bo("run_set", name="fiche.jsonl"), bo("remove_document", id="aanval")):
            assert "another task is running" in refused["error"]["en"]
        time.sleep(0.1)
        assert bo("job") == before
        assert an("job")["done"] > 0
        assert an("job")["running"]
        assert bo("state")["job"]["busy"]
        an("job", stop=True)
        assert ended(an)["done"] < 3000
        assert bo("job") == {**before, "busy": False}
        an("run_set", name="weg.jsonl")
        assert "gone" in ended(an)["error"]["en"]
        assert bo("job") == {**before, "busy": False}


def test_what_came_of_a_task_is_told_to_its_owner_alone() -> None:
    jobs, go = Jobs(), threading.Event()
    jobs.start("run", lambda progress: "van an", "an")
    until(lambda: not jobs.state("an")["running"])
    jobs.start("index", lambda progress: go.wait(5), "bo")
    assert jobs.state("an") == {
        "kind": "run", "running": False, "busy": True, "done": 0, "total": 0, "result": "van an",
    }  # fmt: skip
    assert jobs.state("cas") == {"kind": "", "running": False, "busy": True, "done": 0, "total": 0, "result": None}
    assert jobs.state("bo")["running"]
    go.set()
    until(lambda: not jobs.state("bo")["busy"])
    assert jobs.state("bo")["result"] is True
    assert jobs.state("an")["result"] == "van an"


def test_documents_are_everybodys(own: tuple[Site, str]) -> None:
    _, url = own
    words = base64.b64encode(b"De sluis bij Eefde gaat in 2031 open.").decode()
    with caller(url, "an") as an, caller(url, "bo") as bo:
        added = an("add_document", name="sluis.txt", content=words)
        assert ended(an)["result"] == added["id"]
        assert added["id"] in [each["id"] for each in bo("state")["documents"]]
        bo("remove_document", id=added["id"])
        assert ended(bo)["result"] == added["id"]
        assert added["id"] not in [each["id"] for each in an("state")["documents"]]
