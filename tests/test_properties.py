"""What must hold of any question, document, memory and set, however strange; Hypothesis makes them up.

A short search in every run; a long one where `long` tests run.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evals.sets import parse_lines
from index.cleantext import CleanText, Hyphenation
from index.errors import DocumentError, InputError, QuestionError
from index.memory import Segment, TranslationMemory, key
from index.pages import Line, split_pages
from index.reader import read_text
from index.sentences import split_sentences
from rag.engine import Engine
from rag.question import MAX_QUESTION_CHARS, clean_question
from rag.records import Answer
from tests.citations import check_answer
from tests.test_cli import run
from tests.texts import anything, as_text, check_document, check_sentences, likely
from tests.web import Site

CASES = Path(__file__).parent / "data" / "found"
"""What fuzzing found: each once broke something."""
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
REFUSED_MS = 100


def searches(short: int, long: int, **given_as: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A test of what the strategies draw, in two lengths: `short` examples in every run, `long` behind the mark."""

    def both(body: Callable[..., None]) -> Any:
        def made(examples: int) -> Any:
            quietly = settings(max_examples=examples, deadline=None, suppress_health_check=QUIET)
            return quietly(given(**given_as)(body))

        lengths = {examples: made(examples) for examples in (short, long)}

        @pytest.mark.parametrize(
            "examples",
            [short, pytest.param(long, marks=[pytest.mark.long, pytest.mark.timeout(7200)])],
        )
        def test(examples: int, request: pytest.FixtureRequest) -> None:
            lengths[examples](request)

        test.__name__, test.__doc__ = body.__name__, body.__doc__
        return test

    return both


# --- questions ---


@searches(60, 5000, question=anything())
@example(question="")
@example(question="\ufdfa" * MAX_QUESTION_CHARS)
@example(question="ﬃ" * MAX_QUESTION_CHARS)
@example(question="a\u0300" * (MAX_QUESTION_CHARS // 2))
@example(question="Welk 'ministerie\"\\ [1] [99] is **het**?")
def test_any_question_is_answered_or_refused(request: pytest.FixtureRequest, question: str) -> None:
    engine: Engine = request.getfixturevalue("site").engine
    try:
        answer = engine.ask(question)
    except QuestionError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may be raised or not
        return
    check_answer(answer)
    json.dumps(answer.to_json(), ensure_ascii=False).encode("utf-8")


def milliseconds(call: Callable[[], object]) -> float:
    """How long a call takes at its best of five: what it costs, not what else the machine does."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return min(taken)


@pytest.mark.parametrize(
    "question",
    ["", " ", "?!", "\0", "\ud800", "a\udcff", "x" * 2001, "x" * 20_000_000, "\u200b" * 2000, "中" * 7_000_000, None, 3,
     ["Wat?"], {"question": "Wat?"}, b"Wat?", True, 1.5],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_refused_at_once(question: Any) -> None:
    def refused() -> None:
        with pytest.raises(QuestionError) as caught:
            clean_question(question)
        assert len(str(caught.value)) < 200

    assert milliseconds(refused) < REFUSED_MS


@pytest.mark.model
def test_a_huge_line_on_standard_input_is_one_line_of_error(home: Path) -> None:
    stdin = b"x" * 20_000_000 + b"\nWelk ministerie?\n" + b"\xf0\x9f\x98" * 100_000 + b"\n\n"
    done = run(home, "ask", "--json", "-", stdin=stdin)
    assert done.returncode == 2
    assert [json.loads(line)["question"] for line in done.stdout.decode().splitlines()] == ["Welk ministerie?"]
    said = done.stderr.decode().strip().splitlines()
    assert [line.split(":")[1] for line in said] == [" line 1", " line 3", " line 4"]
    assert all(len(line) < 200 for line in said)


# --- documents ---


def whole(raw: str) -> None:
    """A document, of which all holds that must, or a reason why there is none."""
    try:
        document = read_text(raw, "x")
    except DocumentError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    check_document(document)


@searches(150, 20_000, raw=anything(2000))
def test_any_text_becomes_a_document_or_a_reason(request: pytest.FixtureRequest, raw: str) -> None:
    whole(raw)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_what_was_found_before(path: Path) -> None:
    whole(as_text(path.read_bytes()))


@searches(150, 20_000, text=anything(1000))
def test_sentences_cover_any_text(request: pytest.FixtureRequest, text: str) -> None:
    check_sentences(text, split_sentences(text))


@searches(100, 10_000, pages=st.lists(st.lists(likely(6), min_size=1, max_size=6), min_size=1, max_size=4))
def test_every_character_knows_its_page(request: pytest.FixtureRequest, pages: list[list[str]]) -> None:
    lines = [
        [Line(" ".join(raw.split()), number) for raw in page if "\f" not in raw] for number, page in enumerate(pages, 1)
    ]
    clean = CleanText(Hyphenation(line.text for page in lines for line in page))
    spans = [(clean.add(page), {line.page for line in page}) for page in lines]
    text, starts, numbers = clean.finish()
    assert starts == sorted(set(starts))
    for (start, end), own in spans:
        assert 0 <= start <= end <= len(text)
        for offset in range(start, end):
            here = max(i for i, at in enumerate(starts) if at <= offset)
            assert numbers[here] in own


@searches(100, 10_000, raw=anything(1000))
def test_pages_are_numbered_from_one(request: pytest.FixtureRequest, raw: str) -> None:
    pages = split_pages(raw)
    assert pages
    assert [{line.page for line in page} for page in pages if page] == [{n} for n, page in enumerate(pages, 1) if page]


# --- memories and sets ---

_PLAIN = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufffe\uffff"), max_size=80
)


@searches(40, 3000, segments=st.lists(st.tuples(_PLAIN, _PLAIN, st.sampled_from(["human", "machine"])), max_size=8))
def test_any_memory_comes_back(request: pytest.FixtureRequest, segments: list[tuple[str, str, Any]]) -> None:
    path: Path = request.getfixturevalue("tmp_path") / "m.tmx"
    memory = TranslationMemory(Segment(key(a), key(b), origin) for a, b, origin in segments if key(a) and key(b))
    memory.write(path)
    assert list(TranslationMemory.read(path)) == list(memory)


_XML = st.sampled_from(
    ["<tmx>", "</tmx>", "<tu>", "</tu>", '<tuv xml:lang="nl">', "<tuv>", "</tuv>", "<seg>", "</seg>", "<body>",
     "</body>", "Het kabinet", "&amp;", "&a;", "<!DOCTYPE t [", '<!ENTITY a "x">', "]>",
     "<?xml version='1.0' encoding='utf-16'?>",
     "<![CDATA[", "]]>", "<!--", "-->", "\0", "<prop type='x-origin'>machine</prop>", "é"]
)  # fmt: skip


@searches(
    100,
    10_000,
    raw=st.one_of(st.binary(max_size=300), st.lists(_XML, max_size=30).map(lambda parts: "".join(parts).encode())),
)
def test_any_file_is_a_memory_or_a_reason(request: pytest.FixtureRequest, raw: bytes) -> None:
    path: Path = request.getfixturevalue("tmp_path") / "m.tmx"
    path.write_bytes(raw)
    try:
        memory = TranslationMemory.read(path)
    except InputError as error:
        assert "m.tmx" in str(error)  # noqa: PT017
        return
    assert all(segment.source and segment.target for segment in memory)


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(["nl", "en"])
)
_BRANCHES = st.one_of(st.lists(_LEAVES, max_size=3), st.dictionaries(st.text(max_size=8), _LEAVES, max_size=3))
_VALUES = st.one_of(_LEAVES, _BRANCHES, st.lists(_BRANCHES, max_size=3))
_KEYS = ["id", "question", "lang", "answerable", "evidence", "facts", "document", "tags", "history", "more"]
_LINE = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from(_KEYS), _VALUES).map(lambda fields: json.dumps(fields).encode()),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"id": st.text(max_size=3), "question": st.text(min_size=1), "lang": st.sampled_from(["nl", "en"]),
         "answerable": st.just(value=True), "evidence": st.lists(st.text(), min_size=1, max_size=2)},
        optional={"facts": _VALUES, "tags": _VALUES, "document": _VALUES, "history": _VALUES},
    ).map(lambda fields: json.dumps(fields).encode()),
)  # fmt: skip


@searches(150, 10_000, lines=st.lists(_LINE, max_size=8))
@example(lines=[b"[" * 100_000])
def test_any_line_is_a_question_or_a_problem(request: pytest.FixtureRequest, lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b" ") for line in lines]
    questions, problems = parse_lines(lines)
    assert len(questions) + len(problems) == sum(bool(line.strip()) for line in lines)
    assert len({question.id for question in questions}) == len(questions)
    for question in questions:
        assert question.evidence or not question.answerable
        assert question.split in ("dev", "test")
        assert all(isinstance(asked, str) for asked in question.history)
        question.facts_in("x")


def test_the_checks_can_fail(site: Site) -> None:
    """What the answers of all tests go through is no formality."""
    from dataclasses import replace

    answer: Answer = site.engine.ask("Welk ministerie is eerstverantwoordelijk?")
    assert answer.citations
    first = answer.citations[0]
    for wrong in (
        {"answer": answer.answer + " [9]"},
        {"answer": answer.answer.replace("[1]", "")},
        {"abstained": True},
        {"citations": (replace(first, n=2), *answer.citations[1:])},
        {"citations": (replace(first, end=first.end - 1, quote=first.quote[:-1]), *answer.citations[1:])},
        {"citations": (replace(first, page=first.page + 1), *answer.citations[1:])},
        {"passages": answer.passages[1:]},
    ):
        with pytest.raises(AssertionError):
            replace(answer, **wrong)


@pytest.mark.parametrize(
    ("piece", "end"),
    [(".", "a"), (" ", "a"), ("1 ", "a"), ("- ", "a"), ("(", "a"), ("a. «", "."), ("\x1b]", "a")],
    ids=repr,
)
def test_reading_takes_time_in_proportion(piece: str, end: str) -> None:
    """What repeats itself without end is read like any other text: four times as much, not sixteen."""

    def seconds(count: int) -> float:
        began = time.process_time()
        with suppress(DocumentError):
            read_text(piece * count + end, "x")
        return time.process_time() - began

    seconds(100)
    short, long = (min(seconds(count) for _ in range(2)) for count in (4_000, 16_000))
    assert long < max(9 * short, 0.2)
