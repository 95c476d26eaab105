"""Retrieval against slow-but-obvious twins, on vectors that are not of unit length as well."""

from pathlib import Path

import numpy as np
import pytest

import rag.searching
from index.keywords import KeywordIndex
from index.reader import read_text
from index.records import Document
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from index.vectors import VectorIndex
from index.words import terms
from rag.matching import max_similarities
from rag.retriever import Retriever
from tests.conftest import WordHashEncoder


def snapshot_of(folder: Path, document: Document, encoder: WordHashEncoder) -> Snapshot:
    counts = write_snapshot(folder, [document], encoder)
    return Snapshot(folder, Manifest("x", "", encoder.name, encoder.fingerprint, encoder.dim, counts, {}))


def test_max_similarities_against_loops() -> None:
    rng = np.random.default_rng(1)
    question, tokens = rng.standard_normal((5, 8)) * 3, rng.standard_normal((40, 8)) * 7
    starts = np.array([0, 1, 9, 30])
    found = max_similarities(question, tokens, starts)
    for i, row in enumerate(question):
        for j, (a, b) in enumerate(zip(starts, [*starts[1:], 40], strict=True)):
            assert found[i, j] == pytest.approx(max(float(row @ token) for token in tokens[a:b]))


def test_faiss_against_brute_force_on_unnormalised_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    vectors = (rng.standard_normal((200, 16)) * rng.uniform(0.1, 9, (200, 1))).astype(np.float32)
    query = rng.standard_normal(16).astype(np.float32)
    VectorIndex.build(vectors).save(tmp_path)
    rows, scores = VectorIndex.load(tmp_path).search(query, 10)
    expected = np.argsort(-(vectors @ query))[:10]
    assert rows.tolist() == expected.tolist()
    assert scores == pytest.approx(vectors[expected] @ query, rel=1e-5)


def test_bm25_against_its_definition() -> None:
    rows = [["raad", "beslist", "mei"], ["kabinet", "raad", "raad"], ["slot"]]
    found = KeywordIndex.build(rows).scores(["raad", "mei", "onbekend"])
    mean, k1, b = np.mean([len(r) for r in rows]), 1.5, 0.75
    for row, score in zip(rows, found, strict=True):
        expected = 0.0
        for term in ("raad", "mei"):
            df = sum(term in r for r in rows)
            tf = row.count(term)
            idf = np.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
            expected += idf * tf / (tf + k1 * (1 - b + b * len(row) / mean))
        assert score == pytest.approx(expected, rel=1e-4)


def test_keywords_survive_the_disk_and_unknown_words(tmp_path: Path) -> None:
    KeywordIndex.build([["a"], []]).save(tmp_path)
    loaded = KeywordIndex.load(tmp_path)
    assert loaded.scores(["z"]).tolist() == [0.0, 0.0]
    assert loaded.scores([]).tolist() == [0.0, 0.0]
    assert loaded.knows("a")
    assert not loaded.knows("z")


def test_terms() -> None:
    assert terms("De lidstaten en de AI-verordening") == ["lidstaat", "ai-verorden", "ai", "verorden"]
    assert terms("Coördinatie") == terms("coordinatie")


def test_candidates_give_what_all_rows_give(
    tmp_path: Path, fiche: Document, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = snapshot_of(tmp_path, fiche, fake)
    question = "Hoeveel lidstaten zijn waarnemer bij ALT-EDIC?"
    whole = Retriever(snapshot, fake).retrieve(question, "nl")
    monkeypatch.setattr(rag.searching, "ALL_ROWS", 10)
    monkeypatch.setattr(rag.searching, "CANDIDATES", 60)
    some = Retriever(snapshot, fake).retrieve(question, "nl")
    assert [h.passage.id for h in some.hits[:3]] == [h.passage.id for h in whole.hits[:3]]
    assert some.hits[0].score == pytest.approx(whole.hits[0].score, abs=2e-3)


def test_hits_are_ranked_distinct_and_exact(tmp_path: Path, fiche: Document, fake: WordHashEncoder) -> None:
    retriever = Retriever(snapshot_of(tmp_path, fiche, fake), fake)
    for question in ("ALT-EDIC", "Wat vindt het kabinet?", "x", "?"):
        found = retriever.retrieve(question, "nl")
        assert [h.rank for h in found.hits] == list(range(1, 11))
        assert len({h.passage.id for h in found.hits}) == 10
        assert [h.score for h in found.hits] == sorted((h.score for h in found.hits), reverse=True)
        for hit in found.hits:
            assert hit.text == fiche.text[hit.passage.start : hit.passage.end]
            assert hit.best in hit.passage.sentences


def test_a_document_of_one_sentence(tmp_path: Path, fake: WordHashEncoder) -> None:
    retriever = Retriever(snapshot_of(tmp_path, read_text("Klaar.", "x"), fake), fake)
    assert [h.text for h in retriever.retrieve("Klaar?", "nl").hits] == ["Klaar."]
