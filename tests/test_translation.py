"""The translation memory, its checks, and answers that come from it."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from index.agreement import differences, length_is_unusual
from index.build import known_translations, shipped_document
from index.encoder import Encoded
from index.errors import InputError
from index.memory import Segment, TranslationMemory
from index.reader import read_text
from index.settings import load_settings
from rag.engine import Engine
from rag.llm import LlmError, Model
from rag.translate import check_memory, complete_memory, segments_of, unlike_segments
from tests.test_cli import complaint, run

TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header creationtool="x" creationtoolversion="1" segtype="sentence" o-tmf="x" adminlang="en"
 srclang="nl-NL" datatype="plaintext"/><body>
<tu><tuv xml:lang="nl-NL"><seg>Het <bpt i="1"/>kabinet<ept i="1"/>  is positief.</seg></tuv>
<tuv xml:lang="EN-GB"><seg>The cabinet is positive.</seg></tuv></tu>
<tu><tuv xml:lang="nl"><seg>Zonder Engels.</seg></tuv></tu></body></tmx>"""


def test_a_memory_from_a_translators_tool_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(TMX, encoding="utf-8")
    memory = TranslationMemory.read(path)
    assert len(memory) == 1
    found = memory.get("Het kabinet is\npositief.")
    assert found is not None
    assert (found.target, found.origin) == ("The cabinet is positive.", "human")


def test_a_memory_comes_back_as_it_was_written(tmp_path: Path) -> None:
    memory = TranslationMemory([Segment("A & <b> «c»", "D & <e> “f”", "machine"), Segment("één", "one")])
    memory.write(tmp_path / "b.tmx")
    assert list(TranslationMemory.read(tmp_path / "b.tmx")) == list(memory)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "geen xml",
        "<html/>",
        TMX[: len(TMX) // 2],
        '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "x">]><tmx>&a;</tmx>',
        '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]><tmx>&a;</tmx>',
    ],
    ids=["empty", "text", "html", "half", "entity", "external"],
)
def test_what_is_no_safe_tmx_is_refused_by_name(tmp_path: Path, words: str) -> None:
    path = tmp_path / "bad.tmx"
    path.write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.tmx"):
        TranslationMemory.read(path)


@pytest.mark.parametrize(
    ("dutch", "english"),
    [
        ("EUR 1.200.000 en 3,5% op 21 februari 2024", "EUR 1,200,000 and 3.5% on 21 February 2024"),
        ("Zeven hubs in veertien sectoren, tienjarig", "Seven hubs in fourteen sectors, ten-year"),
        ("Artikel 4, lid 2, onder a, VWEU", "Article 4(2)(a) TFEU"),
        ("Frankrijk en het mkb", "France and the SMEs"),
        ("Kamerstuk 2022, 26 643, nr. 941", "Parliamentary Paper 2022, 26 643, no. 941"),
        ("In mei 2026 besluit de Raad", "In May 2026 the Council may decide"),
        ("Drie miljoen euro", "Three million euros"),
    ],
)
def test_sides_that_agree(dutch: str, english: str) -> None:
    assert differences(dutch, english) == []


@pytest.mark.parametrize(
    ("dutch", "english", "kind"),
    [
        ("14 lidstaten", "40 Member States", "numbers"),
        ("75 miljoen", "75 billion", "numbers"),
        ("op 3 mei 2026", "on 3 March 2026", "dates"),
        ("30% van het budget", "30 of the budget", "percentages"),
        ("COM(2024) 28", "COM(2024) 29", "numbers"),
        ("ALT-EDIC wordt opgericht", "The alliance is established", "name: "),
        ("Frankrijk host de zetel", "Germany hosts the seat", "name: France"),
        ("Dit is een zin die niet is vertaald.", "Dit is een zin die niet is vertaald.", "left in Dutch"),
        ("De raad keurt het voorstel goed.", "De raad heeft het voorstel goedgekeurd.", "Dutch"),
    ],
)
def test_sides_that_do_not(dutch: str, english: str, kind: str) -> None:
    assert any(problem.startswith(kind) or kind in problem for problem in differences(dutch, english))


def test_an_unusual_length_is_noticed() -> None:
    assert length_is_unusual("x" * 200, "y" * 60)
    assert not length_is_unusual("N.v.t.", "N/A")


def test_every_sentence_of_the_fiche_has_one_segment_that_agrees(tmp_path: Path) -> None:
    fiche = shipped_document()
    memory = known_translations(load_settings(home=tmp_path))
    assert check_memory(fiche, memory) == []
    assert {s.source for s in memory} == set(segments_of(fiche))
    assert all(segment.origin == "human" for segment in memory)


class Topics:
    """An encoder that knows two subjects in two languages."""

    name, fingerprint, dim = "topics", "topics:1", 2

    def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        found = [0 if re.search("vis|fish", text.lower()) else 1 for text in texts]
        rows = np.eye(2, dtype=np.float32)[found]
        return [Encoded(row, row[None], np.array([[0, 1]])) for row in rows]


def test_a_segment_that_speaks_of_something_else_is_listed() -> None:
    lines = [f"Zin {n} gaat over {'vis' if n % 2 else 'geld'}." for n in range(12)]
    fiche = read_text("\n\n".join(["1. Kop", " ".join(lines)]), "x")
    right = [Segment(s, s.replace("vis", "fish").replace("geld", "money")) for s in segments_of(fiche)]
    assert unlike_segments(fiche, TranslationMemory(right), Topics()) == []
    moved = next(i for i, segment in enumerate(right) if "Zin 3" in segment.source)
    right[moved] = Segment(right[moved].source, "Sentence 3 is about money.")
    listed = unlike_segments(fiche, TranslationMemory(right), Topics())
    assert [(f.source, f.wrong) for f in listed] == [("Zin 3 gaat over vis.", False)]


def test_a_memory_below_the_home_goes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "memories").mkdir()
    TranslationMemory([Segment("Bevoegdheid", "Power")]).write(tmp_path / "memories" / "own.tmx")
    found = known_translations(load_settings(home=tmp_path)).get("Bevoegdheid")
    assert found is not None
    assert found.target == "Power"


@pytest.mark.model
def test_an_english_answer_is_english_and_shows_the_dutch(engine: Engine) -> None:
    answer = engine.ask("Which country hosts the registered seat of ALT-EDIC?")
    first = answer.citations[0]
    assert first.translation
    assert first.translation in answer.answer
    assert first.quote not in answer.answer
    assert answer.answer.endswith("(Translated; the Dutch text is authoritative.)")
    assert first.document.text[first.start : first.end] == first.quote
    assert len({(c.start, c.end) for c in answer.citations}) == len(answer.citations)
    assert len({hit.passage.id for hit in answer.passages}) == len(answer.passages)


@pytest.mark.model
def test_a_language_can_be_insisted_on(engine: Engine) -> None:
    answer = engine.ask("Welk land host de zetel van ALT-EDIC?", "en")
    assert answer.lang == "en"
    assert "France" in answer.answer


class Endpoint:
    """An OpenAI-compatible server on loopback that replies what it is told to."""

    def __init__(self, reply: Callable[[str], object]) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body["messages"][-1]["content"])
                outer.key = self.headers.get("Authorization")
                found = reply(outer.asked[-1])
                status, raw = found if isinstance(found, tuple) else (200, _completion(found))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


def _completion(text: object) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], object]], Endpoint]]:
    running: list[Endpoint] = []

    def start(reply: Callable[[str], object]) -> Endpoint:
        running.append(Endpoint(reply))
        return running[-1]

    yield start
    for endpoint in running:
        endpoint.server.shutdown()
        endpoint.server.server_close()


TEXT = "1. Doel\n\nDe Raad kiest 14 leden. Het bureau staat in Riga.\n\n2. Geld\n\nHet kost EUR 75 miljoen per jaar.\n"
ENGLISH = {
    "Doel": "Aim",
    "Geld": "Money",
    "De Raad kiest 14 leden.": "The Council elects 14 members.",
    "Het bureau staat in Riga.": "The office is in Riga.",
    "Het kost EUR 75 miljoen per jaar.": "It costs EUR 75 million a year.",
}


def _segment(asked: str) -> str:
    return asked.rpartition("Segment:\n")[2].partition("\n\nAn earlier")[0]


def test_a_document_is_translated_and_the_next_build_takes_it_in(
    tmp_path: Path, serve: Callable[[Callable[[str], object]], Endpoint]
) -> None:
    endpoint = serve(lambda asked: f'"{ENGLISH[_segment(asked)]}"')
    (tmp_path / "klein.txt").write_text(TEXT, encoding="utf-8")
    env = {"FICHE_LLM": "openai:tiny", "FICHE_LLM_URL": endpoint.url, "FICHE_LLM_KEY": "geheim"}
    command = (tmp_path / "home", "translate", str(tmp_path / "klein.txt"))
    done = run(*command, env=env)
    assert done.returncode == 0, done.stderr
    assert b"geheim" not in done.stdout + done.stderr
    assert endpoint.key == "Bearer geheim"
    memory = TranslationMemory.read(tmp_path / "home" / "memories" / "klein.tmx")
    assert {s.source: s.target for s in memory} == ENGLISH
    assert {s.origin for s in memory} == {"machine"}
    asked = len(endpoint.asked)
    assert run(*command, env=env).returncode == 0
    assert len(endpoint.asked) == asked, "what is translated is not asked again"
    assert run(*command, "--check", env=env).returncode == 0
    assert run(tmp_path / "home", "index", "add", str(tmp_path / "klein.txt"), env=env).returncode == 0
    answer = json.loads(run(tmp_path / "home", "ask", "--json", "Where is the office?", env=env).stdout)
    assert answer["citations"][0]["quote"] == "Het bureau staat in Riga."
    assert answer["citations"][0]["translation"] == "The office is in Riga."
    assert "Translated by machine" in answer["answer"]


def test_a_wrong_segment_is_asked_once_more_and_then_left_out(
    tmp_path: Path, serve: Callable[[Callable[[str], object]], Endpoint]
) -> None:
    wrong = {"De Raad kiest 14 leden.": "The Council elects 40 members."}
    endpoint = serve(lambda asked: {**ENGLISH, **wrong}[_segment(asked)])
    (tmp_path / "klein.txt").write_text(TEXT, encoding="utf-8")
    env = {"FICHE_LLM": "openai:tiny", "FICHE_LLM_URL": endpoint.url}
    command = (tmp_path / "home", "translate", str(tmp_path / "klein.txt"))
    done = run(*command, env=env)
    assert done.returncode == 1
    assert b"numbers: 14 against 40" in done.stdout
    assert sum("kiest 14" in _segment(asked) for asked in endpoint.asked) == 2
    memory = TranslationMemory.read(tmp_path / "home" / "memories" / "klein.tmx")
    assert len(memory) == len(ENGLISH) - 1
    assert run(*command, "--check", env=env).returncode == 1


@pytest.mark.parametrize(
    "reply",
    [
        (500, b"oh"),
        (200, b"<html>log in</html>"),
        (200, b"\xff\xfe"),
        (200, b'{"choices": []}'),
        (200, _completion(None)),
    ],
    ids=["500", "html", "bytes", "no choices", "null"],
)
def test_an_endpoint_that_misbehaves_is_one_line_and_nothing_is_lost(
    tmp_path: Path, serve: Callable[[Callable[[str], object]], Endpoint], reply: tuple[int, bytes]
) -> None:
    settings = load_settings(home=tmp_path, llm="openai:x", llm_url=serve(lambda _: reply).url)
    fiche = shipped_document()
    known = TranslationMemory(list(known_translations(settings))[:-5])
    with pytest.raises(LlmError, match=r"127\.0\.0\.1"):
        complete_memory(fiche, known, tmp_path / "m.tmx", Model(settings))
    assert len(TranslationMemory.read(tmp_path / "m.tmx")) == len(segments_of(fiche)) - 5


def test_without_a_model_the_remedy_is_named(tmp_path: Path) -> None:
    assert "FICHE_LLM" in complaint(run(tmp_path, "translate", "kst-22112-3908"), 1)
