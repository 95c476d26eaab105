"""The index in Milvus, in a file and started for real: it answers as the local one does."""

import json
from pathlib import Path
from typing import Any

import pytest

from evals.sets import read_set
from index.build import (
    build_index,
    current_snapshot,
    extend_index,
    index_exists,
    index_store,
    open_snapshot,
    remove_documents,
)
from index.encoder import Encoder
from index.errors import FicheError, IndexStateError, InputError, SnapshotDamagedError
from index.settings import Settings, load_settings
from index.snapshot import Snapshot
from rag.engine import Engine
from rag.retriever import Retriever
from rag.searching import searching
from tests.agreement import FICHE_SET, agree, dev_questions
from tests.conftest import WordHashEncoder
from tests.test_segments import QUESTIONS, answers, made

pytest.importorskip("pymilvus")
pytestmark = pytest.mark.filterwarnings("default")


def beside(tmp_path: Path, name: str) -> Settings:
    """The settings of a machine of its own, with the same Milvus as the others."""
    return load_settings(home=tmp_path / name, store=f"milvus:{tmp_path / 'milvus.db'}")


def opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    monkeypatch.setattr("index.build.model_fingerprint", lambda _: "word-hash:1")
    return open_snapshot(settings)


def test_one_machine_writes_and_another_asks(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader, alone = beside(tmp_path, "a"), beside(tmp_path, "b"), load_settings(home=tmp_path / "c")
    assert not index_exists(reader)
    with pytest.raises(IndexStateError, match="no index in Milvus"):
        open_snapshot(reader, any_model=True)
    documents = {f"d{i}": made(f"d{i}", i) for i in range(6)}
    build_index(writer, fake, list(documents.values())[:4])
    first = opened(reader, monkeypatch)
    assert dict(first.documents) == {name: documents[name] for name in list(documents)[:4]}
    extend_index(writer, fake, list(documents.values())[4:])
    remove_documents(writer, fake, ["d1"])
    del documents["d1"]
    assert current_snapshot(reader) != first.manifest.snapshot
    second = opened(reader, monkeypatch)
    assert dict(second.documents) == documents
    build_index(alone, fake, list(documents.values()))
    expected = answers(opened(alone, monkeypatch), fake, QUESTIONS)
    for mine, theirs in zip(answers(second, fake, QUESTIONS), expected, strict=True):
        assert sorted(mine) == sorted(theirs)


def test_candidates_come_from_milvus(tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.searching.CANDIDATES", 3)
    settings = beside(tmp_path, "a")
    build_index(settings, fake, [made(f"d{i}", i) for i in range(8)])
    extend_index(settings, fake, [made("d2", 200)])
    snapshot = opened(settings, monkeypatch)
    search = snapshot.elsewhere
    assert search is not None
    (way,) = searching(snapshot).vectors
    assert (way.engine, way.kind, way.rows) == ("Milvus", "exact", len(snapshot.sentences))
    words = snapshot.passage_views["nl"].words
    for term in ("nummer", "2003", "kabinet"):
        met = {int(row) for row in words.postings(term)[0]}
        found = search.worded({"nl": [term]}, 3)
        assert len(found) == min(3, len(met))
        assert set(found.tolist()) <= met
    assert search.worded({"nl": ["onbekend"]}, 3).tolist() == []
    pooled = fake.encode(["kabinet advies nummer 30"], query=True)[0].pooled
    exact = snapshot.vectors.search(pooled, 3)[0]
    assert set(search.nearest(pooled, 3).tolist()) == set(exact.tolist())
    hit = Retriever(snapshot, fake).retrieve("nummer 2003", "nl").hits[0]
    assert hit.document.id == "d2"
    assert "2003" in hit.document.text[hit.best.start : hit.best.end]


def test_what_comes_from_milvus_is_checked(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = beside(tmp_path, "a"), beside(tmp_path, "b")
    build_index(writer, fake, [made("een", 1)])
    from index.milvus import connect

    client: Any = connect(writer.store.removeprefix("milvus:"), "").client
    (entity,) = client.query("fiche_files", filter='key like "%/documents.jsonl#0"', output_fields=["key", "data"])
    spoiled = entity["data"][:40] + ("A" if entity["data"][40] != "A" else "B") + entity["data"][41:]
    client.upsert("fiche_files", [{"key": entity["key"], "data": spoiled, "unused": [0.0, 0.0]}])
    with pytest.raises(SnapshotDamagedError, match=r"documents\.jsonl"):
        opened(reader, monkeypatch)


def test_two_writers_are_told_apart(tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = beside(tmp_path, "a")
    build_index(settings, fake, [made("een", 1)])
    from index.milvus import MilvusStore

    publish = MilvusStore.publish

    def late(self: MilvusStore, store: Any, snapshot: Snapshot, before: str) -> None:
        self._upsert([{"key": "current", "data": json.dumps({"snapshot": "other", "bytes": 1, "segments": []})}])
        publish(self, store, snapshot, before)

    monkeypatch.setattr(MilvusStore, "publish", late)
    with pytest.raises(FicheError, match="somebody else has changed"):
        extend_index(settings, fake, [made("twee", 2)])


def test_settings_that_name_no_store(tmp_path: Path) -> None:
    for store in ("milvus", "milvus:", "redis:x"):
        with pytest.raises(InputError, match="set it to milvus:FILE"):
            open_snapshot(load_settings(home=tmp_path, store=store), any_model=True)


@pytest.mark.model
def test_questions_of_the_set_are_answered_as_locally(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    from index.milvus import connect

    there, present = beside(tmp_path, "a"), open_snapshot(settings)
    connect(there.store.removeprefix("milvus:"), "").publish(index_store(settings), present, "")
    remote = Engine(open_snapshot(there), encoder)
    assert remote.snapshot.elsewhere is not None
    agree(remote, Engine(present, encoder), dev_questions()[::12])


@pytest.mark.long
@pytest.mark.model
@pytest.mark.timeout(1200)
def test_the_set_is_answered_as_locally(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    there = beside(tmp_path, "a")
    build_index(there, encoder)
    local, remote = Engine(open_snapshot(settings), encoder), Engine(open_snapshot(there), encoder)
    assert remote.snapshot.elsewhere is not None
    agree(remote, local, read_set(FICHE_SET)[0])
