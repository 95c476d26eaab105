"""How the reader is trained: its questions, its losses and its network, on a tiny model without weights."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from evals.reader.answering import Adapted, AnswerSettings, Example, beside, encode
from evals.reader.corpus import Corpus, read_corpus, vary
from evals.reader.documents import documents_of
from evals.reader.export import _is_european
from evals.reader.graphs import _Graph, write_graphs
from evals.reader.retrieval import average, max_sim
from index.general import general_folder
from index.onnx_reader import open_session
from index.settings import Settings
from rag.window import window

ROOT = Path(__file__).parent.parent
CORPORA = [ROOT / "evals" / "training", ROOT / "evals" / "training" / "invented"]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus(CORPORA)


@pytest.fixture
def tiny() -> BertModel:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False).eval()


def test_no_document_is_both_learnt_and_held_out(corpus: Corpus) -> None:
    learn, held_out = corpus.part(held_out=False), corpus.part(held_out=True)
    assert not {t.document for t in learn.texts} & {t.document for t in held_out.texts}
    assert len(learn.pairs) + len(held_out.pairs) == len(corpus.pairs)
    assert 0.1 < len(held_out.pairs) / len(corpus.pairs) < 0.25


def test_every_pair_points_at_the_sentence_that_holds_its_words(corpus: Corpus) -> None:
    for pair in corpus.pairs:
        if pair.sentence is not None:
            assert pair.quote is not None
            (start, end), (a, b) = corpus.texts[pair.text].spans[pair.sentence], pair.quote
            assert min(end, b) > max(start, a)


def test_the_fiche_and_its_questions_are_not_among_them(corpus: Corpus) -> None:
    names = ("kst-22112", "ALT-EDIC", "GenAI4EU", "COM(2024) 28", "NLAIC")
    assert not [t.id for t in corpus.texts if any(name in t.text or name in t.title for name in names)]
    questions = json.loads(
        "[" + ",".join((ROOT / "evals/datasets/fiche.jsonl").read_text(encoding="utf-8").splitlines()) + "]"
    )
    own = {q["question"].lower() for q in questions if q["answerable"] and "metadata" not in q["tags"]}
    assert not own & {question.lower() for pair in corpus.pairs for question in pair.questions.values()}


def test_a_quote_that_is_not_in_its_passage_is_named(tmp_path: Path) -> None:
    passage = {"id": "x-1", "document": "x", "title": "", "text": "Het kabinet is positief."}
    (tmp_path / "passages.jsonl").write_text(json.dumps(passage), encoding="utf-8")
    asked = [
        {
            "id": f"x-1-0-{lang}",
            "passage": "x-1",
            "lang": lang,
            "question": "?",
            "answerable": True,
            "quote": "negatief",
        }
        for lang in ("nl", "en")
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    with pytest.raises(ValueError, match="x-1-0: its quote is not in the passage x-1"):
        read_corpus([tmp_path])


def test_slips_of_the_finger_are_slight_and_repeatable() -> None:
    question = "Wanneer wordt de verordening van toepassing?"
    draw = random.Random(1)
    varied = [vary(question, draw) for _ in range(300)]
    again = random.Random(1)
    assert varied == [vary(question, again) for _ in range(300)]
    assert 0.5 < varied.count(question) / 300 < 0.9
    assert all(abs(len(v) - len(question)) <= 2 for v in varied)


def test_pools_become_documents_that_hold_their_evidence(corpus: Corpus) -> None:
    held_out = corpus.part(held_out=True)
    asked = 0
    for document, questions in documents_of(held_out):
        for question in questions:
            assert not question.answerable or question.evidence_in(document.text)
        asked += len(questions)
    assert asked == 2 * len(held_out.pairs)


def test_max_sim_is_the_mean_of_the_best() -> None:
    rng = np.random.default_rng(0)
    q, t = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 3, 8), (4, 5, 8)))
    q_own, t_own = np.array([[1, 1, 0], [1, 1, 1]], bool), rng.random((4, 5)) < 0.7
    t_own[:, 0] = True
    found = max_sim(tuple(map(torch.tensor, (q, q_own))), tuple(map(torch.tensor, (t, t_own))))  # type: ignore[arg-type]
    for i in range(2):
        for j in range(4):
            slow = np.mean([max(a @ b for b in t[j][t_own[j]]) for a in q[i][q_own[i]]])
            assert found[i, j].item() == pytest.approx(slow, abs=1e-5)


def test_averaged_weights_lie_between() -> None:
    one, other = {"w": torch.tensor([1.0]), "n": torch.tensor([3])}, {"w": torch.tensor([2.0]), "n": torch.tensor([3])}
    assert average(one, other, 0.25)["w"].item() == pytest.approx(1.75)
    assert average(one, other, 0.25)["n"].item() == 3


def test_adapters_change_nothing_where_the_encoder_retrieves(tiny: Any) -> None:
    ids, mask = torch.randint(5, 50, (2, 6)), torch.ones(2, 6, dtype=torch.long)
    with torch.no_grad():
        before = tiny(input_ids=ids, attention_mask=mask).last_hidden_state
        adapted = Adapted(tiny, rank=4)
        for name, weights in adapted.named_parameters():
            if name.endswith("up.weight"):
                weights.normal_()
        after = adapted.model(input_ids=ids, attention_mask=mask).last_hidden_state
        together = adapted(ids, mask)
    assert torch.equal(before, after)
    assert not torch.allclose(before, together, atol=1e-3)


@pytest.mark.parametrize("gate", [0.0, 1.0])
def test_the_exported_graph_computes_what_the_model_computes(tiny: Any, gate: float) -> None:
    adapted = Adapted(tiny, rank=4)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    inputs = torch.randn(2, 5, 32)
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if name.endswith("up.weight"):
                weights.normal_()
        graph = _Graph(adapted)(inputs, mask.int(), torch.tensor(gate))
        adapted.gate.value = gate
        model = tiny(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
    assert torch.allclose(graph[mask.bool()], model[mask.bool()], atol=1e-5)


def test_the_two_graphs_that_are_shipped_are_the_model_with_its_gate_shut_and_open(tmp_path: Path) -> None:
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=50, hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256
    )
    adapted = Adapted(BertModel(config, add_pooling_layer=False).eval(), rank=4)
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if name.endswith("up.weight"):
                weights.normal_(std=0.2)
    texts = [torch.randint(50, (1, 12))]
    write_graphs(adapted, tmp_path, texts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cross_encoder.onnx", "encoder.onnx", "layers.bin"]
    given = {"inputs": np.random.default_rng(1).normal(size=(1, 9, 128)).astype(np.float32)}
    mask = np.ones((1, 9), dtype=np.int32)
    found = {}
    for name, gate in (("encoder", 0.0), ("cross_encoder", 1.0)):
        (states,) = open_session(tmp_path / f"{name}.onnx").run(None, {**given, "mask": mask})
        with torch.no_grad():
            whole = _Graph(adapted)(torch.tensor(given["inputs"]), torch.tensor(mask), torch.tensor(gate)).numpy()
        assert np.abs(states - whole).max() < 0.1 * np.abs(whole).max()
        found[name] = states
    assert np.abs(found["encoder"] - found["cross_encoder"]).max() > 0.5
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_graphs(adapted, tmp_path, texts)  # with dropout on, other inputs would be taken for the largest
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.model
def test_each_token_belongs_to_its_sentence(general: object, settings: Settings) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(general_folder(settings))
    example = Example("Hoeveel?", "Kop", ("Een zin.", "Het zijn er zeven."), 1, (11, 16))
    ids, _, owner, inside = encode([example], tokenizer)
    for k, sentence in enumerate(example.sentences):
        assert _words(tokenizer, ids[0][owner[0] == k]) == sentence
    assert _words(tokenizer, ids[0][inside[0] > 0]) == "zeven"


def _words(tokenizer: Any, ids: torch.Tensor) -> str:
    return "".join(tokenizer.convert_ids_to_tokens(ids)).replace("▁", " ").strip()


def test_what_is_shown_holds_the_answer(corpus: Corpus) -> None:
    draw = random.Random(AnswerSettings().seed)
    for pair in corpus.pairs[::7]:
        shown = beside(corpus, pair, pair.text, pair.sentence, draw)
        if pair.sentence is None:
            assert shown.answer is None
        else:
            assert shown.answer is not None
            start, end = corpus.texts[pair.text].spans[pair.sentence]
            assert shown.sentences[shown.answer] == corpus.texts[pair.text].text[start:end]


@given(st.lists(st.integers(1, 80), min_size=1, max_size=12), st.data(), st.integers(1, 120))
def test_a_window_holds_its_middle_and_no_more_than_it_may(lengths: list[int], data: st.DataObject, words: int) -> None:
    middle = data.draw(st.integers(0, len(lengths) - 1))
    first, last = window(lengths, middle, words)
    assert first <= middle < last
    assert last - first == 1 or sum(lengths[first:last]) <= words
    for wider in ((first - 1, last), (first, last + 1)):
        if wider[0] >= 0 and wider[1] <= len(lengths):
            assert sum(lengths[wider[0] : wider[1]]) > words


@pytest.mark.parametrize(
    ("char", "kept"), [("é", True), ("ß", True), ("λ", True), ("€", True), ("ж", False), ("語", False)]
)
def test_pieces_of_other_scripts_are_dropped(char: str, kept: bool) -> None:
    assert _is_european(char) == kept
