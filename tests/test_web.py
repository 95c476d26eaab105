"""The chat without a browser: escaping, sentences, limits, feedback, login."""

import ast
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from gradio_client import Client

from index.build import build_index, open_snapshot, remove_documents, shipped_document
from index.errors import DocumentError, FicheError, InputError
from index.reader import read_text
from index.settings import Settings
from rag.answer import compose
from rag.records import Answer, Citation
from tests.web import Site, markup, serving, until
from ui.web.app import make_app
from ui.web.causes import in_dutch
from ui.web.feedback import Feedback
from ui.web.guard import MAX_BODY_BYTES, POLICY, Guard
from ui.web.jobs import Jobs
from ui.web.keeping import MAX_UPLOAD_BYTES
from ui.web.markup import Markup, escape, join, tag
from ui.web.pages import document_html
from ui.web.sentences import sentences_of
from ui.web.serve import logins
from ui.web.trouble import sentence
from ui.web.words import _WORDS, both, for_script


def test_text_is_escaped_once_and_markup_is_not() -> None:
    assert escape("<b>") == "&#60;b&#62;"
    assert escape(escape("<b>")) == "&#60;b&#62;"
    assert tag("p", "<i>", tag("b", "&")) == "<p>&#60;i&#62;<b>&#38;</b></p>"
    assert join("<", Markup("<br>"), None) == "&#60;<br>"
    assert tag("a", title='" onclick=x') == '<a title="&#34; onclick&#61;x"></a>'
    assert escape("a\u202eb\u200b\0c") == "abc"


@pytest.mark.parametrize("piece", markup("http://x/").values())
def test_no_markup_survives_escaping(piece: str) -> None:
    assert not set("<>\"'`{}$=\u202e") & set(escape(piece))


def test_no_script_or_address_can_be_built() -> None:
    for build in (lambda: tag("script", "x"), lambda: tag("a", onclick="x"), lambda: tag("img", src="x"),
                  lambda: tag("p", style="x"), lambda: tag("p><script", "x")):  # fmt: skip
        with pytest.raises(ValueError, match=r"no (attribute|element)"):
            build()


def test_markup_is_made_in_one_place_and_set_in_one_place() -> None:
    web = Path(__file__).parent.parent / "ui" / "web"
    makers = {path.name for path in web.glob("*.py") if re.search(r"\bMarkup\(", path.read_text(encoding="utf-8"))}
    assert makers == {"markup.py", "icons.py", "keeping.py"}  # drawings, and a frame whose page is escaped
    scripts = "".join(path.read_text(encoding="utf-8") for path in (web / "assets").glob("*.js"))
    assert scripts.count("innerHTML") == 1
    assert not re.search(r"outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://", scripts)
    styles = "".join(path.read_text(encoding="utf-8") for path in (web / "assets").glob("*.css"))
    assert not re.search(r"url\(|@import|https?://", styles)


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", "from ui.cli import main; main()", "ui", "--port", port],
            capture_output=True, text=True, check=False, env={**os.environ, "FICHE_HOME": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 1
    assert (
        done.stderr
        == f"fiche: cannot listen on 127.0.0.1:{port} (Address already in use): choose another with --port\n"
    )


def test_every_word_is_in_both_languages_with_the_same_gaps() -> None:
    for key, (dutch, english) in _WORDS.items():
        assert dutch.strip(), key
        assert english.strip(), key
        assert sorted(_gaps(dutch)) == sorted(_gaps(english)), key
    assert set(for_script()) == set(_WORDS)
    assert both("page", page="<1>").count("&#60;1&#62;") == 2


def _gaps(text: str) -> list[str]:
    return [piece.split("}")[0] for piece in text.split("{")[1:]]


def _answer(lang: str, translation: str | None, *, machine: bool = False) -> Answer:
    document = shipped_document()
    span = document.passages[10].sentences[0]
    quote = document.text[span.start : span.end]
    page, section = document.page_at(span.start), document.passages[10].section
    citation = Citation(1, document, page, section, quote, span.start, span.end, translation, None, machine)
    text = compose([citation], lang)  # type: ignore[arg-type]
    return Answer(
        question="?",
        lang=lang,  # type: ignore[arg-type]
        answer=text,
        abstained=False,
        confidence=0.9,
        mode="extractive",
        citations=(citation,),
        passages=(),
        timings_ms={},
    )


@pytest.mark.parametrize(
    ("lang", "translation", "machine", "kinds"),
    [
        ("nl", None, False, ["quoted"]),
        ("nl", "In *English*.", False, ["quoted"]),
        ("en", "In *English* [sic].", False, ["translated", "remark"]),
        ("en", "In English.", True, ["machine", "remark"]),
        ("en", None, False, ["remark", "quoted_dutch"]),
    ],
)
def test_each_sentence_says_what_it_is(lang: str, translation: str | None, machine: bool, kinds: list[str]) -> None:
    answer = _answer(lang, translation, machine=machine)
    sentences = sentences_of(answer)
    assert [s.kind for s in sentences] == kinds
    shown = next(s for s in sentences if s.citations)
    assert shown.text == (translation if lang == "en" and translation else answer.citations[0].quote)


def test_a_document_is_shown_whole() -> None:
    document = shipped_document()
    page = document_html(document)
    for passage in document.passages:
        for span in passage.sentences:
            assert page["body"].count(f'data-s="{span.start}"') == 1
    for note in document.footnotes:
        assert page["body"].count(f'id="mark-{note.number}"') == 1
        assert page["body"].count(f'id="note-{note.number}"') == 1
    assert page["outline"].count("<li") == len(document.sections)


def test_feedback_is_an_evaluation_set(tmp_path: Path) -> None:
    from evals.sets import read_set

    document = shipped_document()
    kept = Feedback(tmp_path, lambda: {document.id: document})
    kept.add("Wanneer?", "nl", "wrong_passage", ["24 januari 2024", "staat er niet"], document.id)
    kept.add("Wie?", "nl", "should_refuse", ["24 januari 2024"], document.id)
    kept.add("Hoe?", "nl", "should_answer", [], document.id)
    questions, problems = read_set(kept.path)
    assert [(q.answerable, q.evidence) for q in questions] == [(True, ("24 januari 2024",)), (False, ())]
    assert len(problems) == 1
    assert [line["complete"] for line in kept.lines()] == [True, True, False]
    last = kept.lines()[2]["id"]
    with pytest.raises(InputError, match="word for word"):
        kept.change(last, "Hoe?", answerable=True, quotes=["staat er niet"])
    kept.change(last, "Hoe dan?", answerable=True, quotes=["COM(2024) 28"])
    kept.remove(kept.lines()[0]["id"])
    assert [q.question for q in read_set(kept.path)[0]] == ["Wie?", "Hoe dan?"]
    for wrong in (("", "nl", "good"), ("x", "fr", "good"), ("x", "nl", "nice"), ("x" * 9999, "nl", "good")):
        with pytest.raises(InputError):
            kept.add(*wrong, [], document.id)


def test_documents_are_taken_out_of_the_index(tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.build.model_fingerprint", lambda _: fake.fingerprint)
    settings = Settings(home=tmp_path)
    build_index(settings, fake, [read_text("Een sluis.", "a"), read_text("Een brug.", "b")])
    remove_documents(settings, fake, ["a"])
    assert list(open_snapshot(settings).documents) == ["b"]
    for names, told in ((["a"], "no document 'a'"), (["b"], "at least one")):
        with pytest.raises(DocumentError, match=told):
            remove_documents(settings, fake, names)


def test_one_task_at_a_time_and_an_error_is_a_sentence() -> None:
    jobs, go = Jobs(), threading.Event()
    jobs.start("a", lambda progress: go.wait(5))
    with pytest.raises(FicheError, match="another task"):
        jobs.start("b", lambda progress: None)
    go.set()
    until(lambda: not jobs.state()["running"])

    def fails(progress: Callable[[int, int], None]) -> None:
        raise RuntimeError("secret")

    jobs.start("c", fails)
    until(lambda: not jobs.state()["running"])
    assert "secret" not in json.dumps(jobs.state())
    assert jobs.state()["error"]["nl"].startswith("Er ging iets mis")


def test_logins_are_read_and_a_wrong_one_is_told() -> None:
    assert logins(Settings(auth="an:geheim,bo:een:twee")) == [("an", "geheim"), ("bo", "een:twee")]  # type: ignore[arg-type]
    assert logins(Settings()) == []
    with pytest.raises(InputError, match="FICHE_AUTH"):
        logins(Settings(auth="an"))  # type: ignore[arg-type]


def test_headers_closed_roads_and_sizes(site: Site) -> None:
    import httpx

    page = httpx.get(site.url)
    assert page.headers["content-security-policy"] == POLICY
    for needed in ("img-src 'self' data: blob:", "media-src 'self' blob:", "form-action 'self'", "frame-src 'self'",
                   "object-src 'none'", "base-uri 'self'", "default-src 'self'"):  # fmt: skip
        assert needed in POLICY
    for needle in ("fonts.googleapis", "cdnjs", "huggingface.co/spaces"):
        assert needle not in page.text
    for road in ("/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://example.org/x",
                 "/file=/etc/passwd", "/docs", "/openapi.json"):  # fmt: skip
        assert httpx.get(site.url + road).status_code in (404, 405), road
    assert httpx.post(f"{site.url}/gradio_api/upload", files={"files": b"x"}).status_code == 404
    huge = b"x" * (MAX_BODY_BYTES + 1)
    assert httpx.post(f"{site.url}/gradio_api/queue/join", content=huge).status_code == 413
    streamed = (b"x" * 500_000 for _ in range(8))
    assert httpx.post(f"{site.url}/gradio_api/queue/join", content=streamed).status_code in (400, 413)


def test_no_file_is_taken_that_is_too_large_or_no_text(site: Site) -> None:
    import base64

    for raw in (b"x" * (MAX_UPLOAD_BYTES + 1), b"a\0b", b"\xff", b"   "):
        reply = site.service.add_document({"name": "../../x.txt", "content": base64.b64encode(raw).decode()})
        assert reply["error"]["nl"].startswith("Dit kan niet: ")
    assert site.service.add_document({"name": "x", "content": "!"})["error"]
    pdf = base64.b64encode(b"<!DOCTYPE html><p>woorden</p>").decode()
    assert "rename it to .html" in site.service.add_document({"name": "x.pdf", "content": pdf})["error"]["en"]
    assert site.service.report({"name": "../../../etc"})["error"]
    assert site.service.run_set({"name": "../../etc/passwd"})["kind"] == "run"
    until(lambda: not site.service.jobs.state()["running"])
    assert "error" in site.service.jobs.state()


def test_one_address_sends_so_many_requests_a_minute() -> None:
    now = [0.0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    web = TestClient(Guard(app, rate=3, clock=lambda: now[0]))
    assert [web.post("/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert web.get("/x").status_code == 200
    now[0] = 21.0
    assert [web.post("/x").status_code for _ in range(2)] == [200, 429]
    assert web.post("/x").headers["retry-after"] == "60"


def test_a_login_is_asked_for_where_one_is_set(site: Site) -> None:
    import httpx

    with serving(Guard(make_app(site.service, [("an", "geheim")]))) as url:
        assert httpx.get(f"{url}/config").status_code == 401
        for road in ("queue/join", "component_server", "call/ask"):
            assert httpx.post(f"{url}/gradio_api/{road}", json={"data": []}).status_code in (401, 422), road
        assert httpx.post(f"{url}/login", data={"username": "an", "password": "fout"}).status_code == 400
        known = Client(url, auth=("an", "geheim"), verbose=False)
        assert known.predict("Welk ministerie?", api_name="/ask")["lang"] == "nl"


def _causes() -> list[str]:
    """Every reason that the readers of files give, figures and names in them filled in."""
    found = []
    opening = re.compile("(?:it (?:is|has|says|holds|takes|cannot|unpacks)|its|there are no words|no text) ")
    for path in [*Path("index/formats").glob("*.py"), Path("index/intake.py"), Path("index/child.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        pieces = {id(piece) for node in joined for piece in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in pieces:
                words = re.sub(r"\{[^}]*\}", "7", ast.unparse(node).removeprefix("f")[1:-1])
                found += [words] if opening.match(words) else []
    return found


def test_why_a_document_cannot_be_read_is_said_in_dutch_too() -> None:
    causes = [cause for cause in _causes() if "," in cause or ":" in cause or cause.startswith("it is ")]
    assert len(causes) > 35
    assert [cause for cause in causes if not in_dutch(cause)] == []
    assert in_dutch("it is no PDF, whatever its name says: it is damaged, or rename it to .txt").startswith(
        "het is geen pdf"
    )
    told = sentence(DocumentError("it is damaged (KeyError): save or download it again"))
    assert told["nl"] == "Dit kan niet: het is beschadigd (KeyError). Bewaar of download het opnieuw."
    assert sentence(DocumentError("something new"))["nl"].startswith("Dit document kan niet gelezen worden.")
    assert sentence(FicheError("x", "y"))["nl"] == "Dit kan niet: y"
    assert "\u202e" not in str(sentence(DocumentError("a\u202eb")))
