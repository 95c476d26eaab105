"""Sets, measures, runs, comparison and gates, each against an example worked by hand."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.beir import read_beir
from evals.check import faults
from evals.compare import differences, flips
from evals.engines import KeywordCandidate, Result
from evals.gate import broken_gates
from evals.injection import PLACES, attack
from evals.intervals import percentile
from evals.measures import MEASURES, Row, agreement, calibration_error, estimate, is_right, refusal_scores
from evals.relevance import retrieval, score_run
from evals.run import load_run, make_rows, resume, write_summary
from evals.sets import Question, parse_lines, read_set, split_of
from index.encoder import Encoder
from index.errors import InputError
from index.records import Document

DATASETS = Path(__file__).parent.parent / "evals" / "datasets"


def question(pair: str, lang: str = "nl", answerable: bool = True) -> Question:
    evidence = ("goud",) if answerable else ()
    return Question(f"{pair}-{lang}", f"{pair} {lang}?", lang, answerable, evidence, (("goud", "gold"),) * answerable)  # type: ignore[arg-type]


def result(*quotes: str, abstained: bool = False, confidence: float = 0.5, passages: tuple[str, ...] = ()) -> Result:
    return Result("nl", " ".join(quotes), abstained, confidence, passages, (0.0,) * len(passages), quotes)


def row(asked: Question, got: Result) -> Row:
    names = ("success@1", "success@5", "rr", "ndcg@10")
    return Row(asked, got, dict.fromkeys(names, 0.0) if asked.answerable else {})


def value(name: str, entry: Row) -> float | None:
    return next(m for m in MEASURES if m.name == name).of(entry)


def test_a_broken_line_does_not_lose_the_rest() -> None:
    good = {"id": "a-nl", "question": "Wat?", "lang": "nl", "answerable": True, "evidence": ["x"], "mine": 1}
    lines = [
        json.dumps(good).encode(),
        b"{broken",
        b"",
        json.dumps(good).encode(),
        json.dumps(good | {"id": "b-nl", "lang": "fr"}).encode(),
        json.dumps(good | {"id": "c-nl", "evidence": []}).encode(),
        json.dumps({"id": "d-nl"}).encode(),
        b'"text"',
        b"\xff\xfe",
        json.dumps(good | {"id": "e-nl", "answerable": "yes"}).encode(),
    ]
    questions, problems = parse_lines(lines)
    assert [q.id for q in questions] == ["a-nl"]
    assert questions[0].extra == {"mine": 1}
    assert [p.line for p in problems] == [2, 4, 5, 6, 7, 8, 9, 10]
    assert "comes twice" in problems[1].reason
    assert "'question' is missing" in problems[4].reason


def test_no_set_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no set at"):
        read_set(tmp_path / "none.jsonl")


def test_the_split_is_by_pair_and_stays() -> None:
    assert [split_of(p) for p in ("altedic_members", "council", "x")] == ["dev", "test", "dev"]
    shares = [split_of(f"pair-{i}") == "dev" for i in range(2000)]
    assert 0.36 < sum(shares) / 2000 < 0.44
    assert question("q", "nl").split == question("q", "en").split


def test_retrieval_worked_by_hand() -> None:
    passages = ["een", "goud hier", "goud daar", "vier", "vijf", "zes"]
    asked = [question("a"), question("b"), question("c"), question("d", answerable=False)]
    got = [
        result(passages=("een", "goud hier", "goud daar")),
        result(passages=("goud daar",)),
        result(passages=()),
        result(passages=("een",)),
    ]
    scores = retrieval(asked, got, passages)
    assert scores[0]["success@1"] == 0
    assert scores[0]["success@5"] == 1
    assert scores[0]["rr"] == pytest.approx(1 / 2)
    ideal = 1 + 1 / 1.5849625
    assert scores[0]["ndcg@10"] == pytest.approx((1 / 1.5849625 + 1 / 2) / ideal, abs=1e-4)
    assert scores[1]["success@1"] == 1
    assert scores[1]["ndcg@10"] == pytest.approx(1 / ideal, abs=1e-4)
    assert scores[2] == {"success@1": 0, "success@5": 0, "rr": 0, "ndcg@10": 0}
    assert scores[3] == {}


def test_answer_measures_worked_by_hand() -> None:
    two = row(question("a"), result("zilver", "Goud en goud"))
    assert value("right quote", two) == 1
    assert value("citation precision", two) == 0.5
    assert value("first quote", two) == 0
    assert value("quotes", two) == 2
    assert value("facts", two) == 1
    assert value("refused", two) is None
    refused = row(question("b"), result(abstained=True))
    assert [value(n, refused) for n in ("right quote", "citation precision", "facts", "false refusals")] == [0, 0, 0, 1]
    assert value("quotes", refused) is None
    none = row(question("c", answerable=False), result(abstained=True))
    assert value("refused", none) == 1
    assert value("right quote", none) is None
    assert is_right(none)
    assert not is_right(refused)


def test_planted_words_worked_by_hand() -> None:
    asked = Question("i-nl", "?", "nl", answerable=False, extra={"planted": ["ZWART-1"]})
    said = Result("nl", "het woord zwart-1", abstained=False, confidence=0.5, passages=(), scores=(), quotes=("het",))
    assert value("planted words said", row(asked, said)) == 1
    assert value("planted words said", row(asked, result("een citaat met ZWART-1"))) == 0
    assert value("planted words said", row(asked, result("niets"))) == 0
    assert value("planted words said", row(question("a"), result("zwart-1"))) is None


@pytest.mark.model
def test_planted_words_are_never_said(encoder: Encoder) -> None:
    questions, problems = read_set(DATASETS / "injection.jsonl")
    assert problems == []
    assert len(questions) == 50
    for place in PLACES:
        for asked, got in attack(place, [q for q in questions if q.extra["where"] == place], encoder):
            assert value("planted words said", Row(asked, got, {})) == 0, (asked.id, got.answer)


def test_the_dialogues_are_sound(fiche: Document) -> None:
    questions, problems = read_set(DATASETS / "fiche-chat.jsonl")
    assert problems == []
    dialogues: dict[str, list[Question]] = {}
    for entry in questions:
        dialogues.setdefault(str(entry.extra["dialogue"]), []).append(entry)
        assert all(piece in fiche.text for piece in entry.evidence)
    assert len(dialogues) >= 40
    for turns in dialogues.values():
        assert 2 <= len(turns) <= 4
        assert [t.extra["turn"] for t in turns] == list(range(1, len(turns) + 1))
        assert [t.extra["history"] for t in turns] == [[p.question for p in turns[:i]] for i in range(len(turns))]


def test_refusals_worked_by_hand() -> None:
    rows = [
        row(question("a"), result("goud")),
        row(question("b"), result(abstained=True)),
        row(question("c", answerable=False), result(abstained=True)),
        row(question("d", answerable=False), result(abstained=True)),
        row(question("e", answerable=False), result("iets")),
    ]
    scores = refusal_scores(rows)
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx(2 / 3)
    assert refusal_scores(rows[:1]) == {"precision": 0, "recall": 0, "f1": 0}


def test_calibration_worked_by_hand() -> None:
    rows = [
        row(question("a"), result("goud", confidence=0.9)),
        row(question("b"), result("zilver", confidence=0.92)),
        row(question("c"), result("goud", confidence=0.3)),
        row(question("d"), result(abstained=True, confidence=0.01)),
    ]
    error, bins = calibration_error(rows)
    assert bins == [(0.3, 1.0, 1), (pytest.approx(0.91), 0.5, 2)]
    assert error == pytest.approx(1 / 3 * 0.7 + 2 / 3 * 0.41)


def test_agreement_worked_by_hand() -> None:
    rows = [
        row(question("a", "nl"), result("goud", "x")),
        row(question("a", "en"), result("goud")),
        row(question("b", "nl"), result("goud")),
        row(question("b", "en"), result("zilver", "goud")),
        row(question("c", "nl"), result("goud")),
    ]
    of = agreement(rows)
    assert [of(r) for r in rows] == [1, 1, 0, 0, None]


def test_an_interval_draws_pairs_together() -> None:
    rows = [row(question(f"p{i}", lang), result("goud" if i < 8 else "x")) for i in range(10) for lang in ("nl", "en")]
    both = estimate(rows, next(m for m in MEASURES if m.name == "right quote").of)
    one = estimate(rows[::2], next(m for m in MEASURES if m.name == "right quote").of)
    assert both is not None
    assert one is not None
    assert both.value == one.value == 0.8
    assert (both.low, both.high) == (one.low, one.high)  # a translation adds no certainty
    assert both.low < 0.8 < both.high
    assert estimate([], lambda _: 1.0) is None


def test_percentiles_are_nearest_ranks() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0.25, 0.5, 0.95)] == [1, 2, 4]


def test_what_flipped() -> None:
    before = [row(question(p), result(q)) for p, q in (("a", "goud"), ("b", "x"), ("c", "goud"), ("d", "x"))]
    after = [row(question(p), result(q)) for p, q in (("a", "x"), ("b", "goud"), ("c", "goud"), ("e", "x"))]
    better, worse = flips(before, after)
    assert [r.question.pair for r in better] == ["b"]
    assert [r.question.pair for r in worse] == ["a"]
    change = next(d for d in differences(before, after) if d.name == "right quote")
    assert (change.before, change.after, change.change.value) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 0)
    assert change.change.low < 0 < change.change.high


def test_gates(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(
        '[[gate]]\ngroup="all"\nmeasure="a"\nfloor=0.5\n[[gate]]\ngroup="all"\nmeasure="b"\nceiling=0.1\n'
        '[[gate]]\ngroup="all"\nmeasure="c"\nfloor=0.1\n'
    )
    assert broken_gates(path, {"all": {"a": [0.5, 0, 1, 9], "b": 0.05, "c": 0.2}}) == []
    broken = broken_gates(path, {"all": {"a": [0.4, 0, 1, 9], "b": 0.2}})
    assert len(broken) == 3
    assert "a of all is 0.400, below its floor of 0.5" in broken
    path.write_text("[[gate]]\nmeasure = 1\n")
    with pytest.raises(InputError, match="gate 1"):
        broken_gates(path, {})
    path.write_text("nonsense")
    with pytest.raises(InputError, match="no gates"):
        broken_gates(path, {})


def test_a_cut_run_goes_on_where_it_was(tmp_path: Path, fiche: Document) -> None:
    asked = [q for q in read_set(DATASETS / "fiche.jsonl")[0] if q.lang == "nl"][:12]
    candidate = KeywordCandidate([fiche])
    whole = resume(tmp_path / "whole", asked, candidate)
    path = tmp_path / "cut" / "results.jsonl"
    resume(tmp_path / "cut", asked[:5], candidate)
    path.write_bytes(path.read_bytes()[:-40])  # killed while writing the fifth

    class Counting(KeywordCandidate):
        count = 0

        def ask(self, question: str, history: Sequence[str] = ()) -> Result:
            Counting.count += 1
            return super().ask(question, history)

    again = resume(tmp_path / "cut", asked, Counting([fiche]))
    assert Counting.count == len(asked) - 4
    assert [r.passages for r in again] == [r.passages for r in whole]
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(asked)


def test_a_run_is_read_back(tmp_path: Path, fiche: Document) -> None:
    from evals.report import write_report

    asked = read_set(DATASETS / "fiche.jsonl")[0][:20]
    candidate = KeywordCandidate([fiche])
    rows = make_rows(asked, resume(tmp_path, asked, candidate), candidate.chunks)
    about = {"set": "<b>set</b>", "engine": "keywords", "questions": 20, "date": "", "model": "", "snapshot": ""}
    written = write_summary(tmp_path, rows, about)
    read = load_run(tmp_path)
    assert read.summary == json.loads(json.dumps(written.summary))
    assert [r.question for r in read.rows] == asked
    page = write_report(read, read).read_text(encoding="utf-8")
    assert "&lt;b&gt;set&lt;/b&gt;" in page
    dutch = write_report(read, read, "nl").read_text(encoding="utf-8")
    assert '<html lang="nl">' in dutch
    assert "Vergeleken met" in dutch
    assert not [word for word in ("Headline", "became", "The document does not", "questions<") if word in dutch]
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    with pytest.raises(InputError, match="no finished run"):
        load_run(tmp_path / "none")


def test_beir_worked_by_hand(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "T", "text": "een"}\n{"_id": "d2", "text": "twee"}\n', encoding="utf-8"
    )
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "?"}\n{"_id": "q2", "text": "!"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td1\t0\n")
    found = read_beir(tmp_path)
    assert found.passages == [("d1", "T", "een"), ("d2", "", "twee")]
    assert found.queries == {"q1": "?"}
    scores = score_run({"q1": {"d2": 1}, "q3": {"d1": 1}}, {"q1": ["d1", "d2"]})
    assert scores["rr"].value == pytest.approx(0.25)
    assert scores["success@5"].value == 0.5
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1"}\n')
    with pytest.raises(InputError, match=r"queries\.jsonl, line 1, lacks text"):
        read_beir(tmp_path)
    with pytest.raises(InputError, match=r"corpus\.jsonl cannot be read"):
        read_beir(tmp_path / "none")


def test_the_shipped_set_is_sound(fiche: Document) -> None:
    assert faults(*read_set(DATASETS / "fiche.jsonl"), fiche) == []


def test_the_checker_finds_what_is_wrong(fiche: Document) -> None:
    bad = [
        Question("a-nl", "Wat?", "nl", answerable=True, evidence=("staat er niet",), tags=("x",)),
        Question("b-nl", "Wat?", "nl", answerable=True, evidence=("deel. Nederland neemt deel",)),
        Question("c-nl", "Hoe?", "nl", answerable=False, evidence=("24 januari 2024",), tags=("x",)),
    ]
    found = " | ".join(faults(bad, [], fiche))
    for words in ("not in the document", "no single sentence", "no tags", "yet with evidence", "asked 2", "only in nl"):
        assert words in found
    assert "nothing asks about 3c" in found


def test_every_text_of_the_report_has_its_dutch() -> None:
    from evals.report import MEANINGS
    from evals.wording import DUTCH, wording

    sources = (DATASETS.parent / "templates" / "report.html", DATASETS.parent / "plots.py")
    said = {text for path in sources for text in re.findall(r'say\("([^"]+)"', path.read_text(encoding="utf-8"))}
    said |= set(MEANINGS) | set(MEANINGS.values())
    assert len(said) > 60
    assert said <= set(DUTCH)
    assert wording("nl")("{n} questions", n=3) == "3 vragen"
    assert wording("en")("{n} questions", n=3) == "3 questions"
    assert wording("nl")("some-tag") == "some-tag"


def test_the_follow_ups_are_sound() -> None:
    from evals.followups import texts

    asked = [(document, question) for _, document, questions in texts() for question in questions]
    for document, question in asked:
        assert all(piece in document.text for piece in question.evidence), question.id
    assert sum(bool(question.history) for _, question in asked) > 150
