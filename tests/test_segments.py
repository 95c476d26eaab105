"""An index of many segments answers as one that was made at once, and large files never lie."""

import io
import json
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import index.files
import index.snapshot
import index.update
import rag.searching
from index.blocks import BLOCK, Mapped, block_digests
from index.build import build_index, extend_index, index_store, open_snapshot, remove_documents
from index.encoder import Encoded
from index.errors import SnapshotDamagedError
from index.keywords import KeywordIndex, Keywords
from index.packing import packing
from index.reader import read_text
from index.records import Document
from index.settings import Settings, load_settings
from index.snapshot import Snapshot
from index.vectors import VectorIndex, Vectors
from rag.retriever import Retriever
from rag.searching import searching
from tests.conftest import WordHashEncoder
from ui.terminal import describe_index, show_index

WORDS = ["kabinet", "raad", "lidstaat", "voorstel", "verordening", "burger", "bedrijf", "toezicht", "begroting"]


def made(name: str, seed: int, sentences: int = 8) -> Document:
    rng = np.random.default_rng(seed)
    lines = [f"{' '.join(rng.choice(WORDS, 7)).capitalize()} nummer {seed}{i}." for i in range(sentences)]
    return read_text(f"1. Deel {seed}\n\n{' '.join(lines[:4])}\n\n{' '.join(lines[4:])}", name)


def opened(settings: Settings, known: Snapshot | None = None) -> Snapshot:
    segments = known.segments if known else {}
    return index_store(settings).read(lambda f, m: Snapshot(f, m, segments), "word-hash:1", known=segments)


def answers(snapshot: Snapshot, encoder: WordHashEncoder, questions: Sequence[str]) -> list[list[tuple[str, float]]]:
    retriever = Retriever(snapshot, encoder)
    return [
        [(f"{h.document.id} {h.text}", round(h.score, 4)) for h in retriever.retrieve(q, "nl").hits] for q in questions
    ]


QUESTIONS = ["kabinet advies nummer 30", "Wat zegt de raad over toezicht?", "begroting burger 52", "richtlijn"]


def test_document_by_document_gives_what_one_build_gives(tmp_path: Path, fake: WordHashEncoder) -> None:
    """Twenty additions, three replacements and two removals, over merged segments and those with gaps."""
    grown, whole = load_settings(home=tmp_path / "grown"), load_settings(home=tmp_path / "whole")
    documents = {f"d{i:02}": made(f"d{i:02}", i) for i in range(20)}
    build_index(grown, fake, [documents["d00"]])
    for document in list(documents.values())[1:]:
        extend_index(grown, fake, [document])
    for name, seed in (("d03", 103), ("d11", 111), ("d19", 119)):
        documents[name] = made(name, seed)
        extend_index(grown, fake, [documents[name]])
    remove_documents(grown, fake, ["d05", "d06"])
    del documents["d05"], documents["d06"]
    build_index(whole, fake, list(documents.values()))
    one, many = opened(whole), opened(grown)
    assert len(one.parts) == 1 < len(many.parts) < 16
    assert any(part.removed for part in many.manifest.segments)
    assert many.manifest.counts == one.manifest.counts
    assert dict(many.documents) == documents
    for mine, theirs in zip(answers(many, fake, QUESTIONS), answers(one, fake, QUESTIONS), strict=True):
        assert sorted(mine) == sorted(theirs)


def test_candidates_over_segments_are_those_of_one(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search of large indexes: packed vectors, cells, and candidates only."""
    monkeypatch.setattr(index.snapshot, "EXACT_SENTENCES", 10)
    monkeypatch.setattr(rag.searching, "ALL_ROWS", 10)
    monkeypatch.setattr(rag.searching, "CANDIDATES", 60)
    settings = load_settings(home=tmp_path)
    documents = [made(f"d{i}", i) for i in range(30)]
    build_index(settings, fake, documents[:10])
    extend_index(settings, fake, documents[10:20])
    extend_index(settings, fake, [documents[20]])
    snapshot = opened(settings)
    assert {segment.codec for segment in snapshot.segments.values()} == {"bits2"}
    for number in (3, 15, 20):
        document = documents[number]
        sentence = document.passages[-1].sentences[0]
        words = document.text[sentence.start : sentence.end]
        hit = Retriever(snapshot, fake).retrieve(words, "nl").hits[0]
        assert (hit.document.id, hit.document.text[hit.best.start : hit.best.end]) == (document.id, words)


def test_the_same_again_costs_nothing(tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(home=tmp_path)
    documents = [made("een", 1), made("twee", 2)]
    before = build_index(settings, fake, documents)
    asked: list[str] = []
    encode = WordHashEncoder.encode

    def counted(self: WordHashEncoder, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        asked.extend(texts)
        return encode(self, texts, query=query)

    monkeypatch.setattr(WordHashEncoder, "encode", counted)
    asked.clear()
    assert extend_index(settings, fake, documents) == before
    changed = made("twee", 3)
    extend_index(settings, fake, [documents[0], changed])
    own = {text for text in asked if "nummer" in text}
    assert own
    assert all("nummer 3" in text for text in own)


def test_an_open_segment_is_not_opened_again(tmp_path: Path, fake: WordHashEncoder) -> None:
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [made("een", 1)])
    first = opened(settings)
    extend_index(settings, fake, [made("twee", 2)])
    second = opened(settings, first)
    assert set(second.documents) == {"een", "twee"}
    shared = first.segments.keys() & second.segments.keys()
    assert [second.segments[name] is first.segments[name] for name in shared] == [True]


def _grow(home: Path) -> None:
    class Slow(WordHashEncoder):
        def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
            time.sleep(0.005)
            return super().encode(texts, query=query)

    number = 0
    while True:
        number += 1
        extend_index(load_settings(home=home), Slow(), [made(f"d{number % 12}", number)])
        if number % 5 == 0:
            remove_documents(load_settings(home=home), Slow(), [f"d{number % 12}"])


def test_a_killed_change_leaves_the_old_or_the_new_index(tmp_path: Path, fake: WordHashEncoder) -> None:
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [made("vast", 999)])
    context = multiprocessing.get_context("fork")
    rng = np.random.default_rng(5)
    for _ in range(8):
        process = context.Process(target=_grow, args=(tmp_path,))
        process.start()
        time.sleep(float(rng.uniform(0.2, 1.0)))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        index_store(settings).read(lambda *_: None, whole=True)
        snapshot = opened(settings)
        assert "vast" in snapshot.documents
        assert snapshot.manifest.counts["documents"] == len(snapshot.documents)
        assert Retriever(snapshot, fake).retrieve("nummer 9990", "nl").hits[0].document.id == "vast"
    extend_index(settings, fake, [made("slot", 1)])
    used = {part.segment for part in index_store(settings).manifest().segments}
    assert used <= {path.name for path in (tmp_path / "index" / "segments").iterdir()}
    assert not list((tmp_path / "index").glob("*/.*"))


def test_a_killed_bulk_addition_goes_on_where_it_was(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.update, "_BATCH", 20)
    monkeypatch.setattr(index.snapshot, "_CHUNK", 16)
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [made("vast", 999)])
    documents = [made(f"d{i}", i) for i in range(10)]
    encode = WordHashEncoder.encode
    asked: list[str] = []

    def until(limit: int) -> None:
        def counted(self: WordHashEncoder, texts: Sequence[str], *, query: bool) -> list[Encoded]:
            if len(asked) > limit:
                raise KeyboardInterrupt
            asked.extend(text for text in texts if "nummer" in text)
            return encode(self, texts, query=query)

        monkeypatch.setattr(WordHashEncoder, "encode", counted)

    until(60)
    with pytest.raises(KeyboardInterrupt):
        extend_index(settings, fake, documents)
    assert set(opened(settings).documents) == {"vast"}
    before = set(asked)
    asked.clear()
    until(10_000)
    extend_index(settings, fake, documents)
    assert len(opened(settings).documents) == 11
    assert 0 < len(before & set(asked)) < len(before)
    assert not (tmp_path / "index" / "pending").exists() or not list((tmp_path / "index" / "pending").iterdir())
    assert len(list((tmp_path / "index" / "segments").iterdir())) <= 3


def answered_or_refused(settings: Settings, encoder: WordHashEncoder) -> object:
    """What the index answers, or the file that it says is damaged."""
    try:
        return answers(opened(settings), encoder, QUESTIONS)
    except SnapshotDamagedError as error:
        return Path(str(error).split(" is damaged")[0]).name


def test_large_files_are_checked_where_they_are_read(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.files, "LARGE", 2 * BLOCK)
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [made(f"d{i}", i, 30) for i in range(60)])
    folder, manifest = index_store(settings).open()
    large = [name for name, entry in manifest.files.items() if "blocks" in entry]
    assert {Path(name).name for name in large} >= {"tokens.map", "documents.jsonl"}
    sound = answers(opened(settings), fake, QUESTIONS)
    monkeypatch.setattr(index.files, "_SAMPLE", 0)  # so that only reading finds the damage
    rng = np.random.default_rng(2)
    for name in large:
        path = folder / name
        whole = path.read_bytes()
        for _ in range(6):
            place = int(rng.integers(BLOCK, len(whole) - BLOCK))
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            with pytest.raises(SnapshotDamagedError, match=path.name.replace(".", r"\.")):
                index_store(settings).read(lambda *_: None, whole=True)
            assert answered_or_refused(settings, fake) in (sound, path.name)
        path.write_bytes(whole)
    assert answers(opened(settings), fake, QUESTIONS) == sound


def test_blocks(tmp_path: Path) -> None:
    path = tmp_path / "x"
    content = np.random.default_rng(1).bytes(5 * BLOCK + 7)
    path.write_bytes(content)
    digest, blocks = block_digests(path)
    import hashlib

    assert digest == hashlib.sha256(content).hexdigest()
    mapped = Mapped(path, blocks)
    assert bytes(mapped.read(BLOCK - 3, 3 * BLOCK + 1)) == content[BLOCK - 3 : 3 * BLOCK + 1]
    assert bytes(mapped.read(5 * BLOCK, len(content))) == content[5 * BLOCK :]


def test_stretches_are_read_together_and_each_block_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "x"
    content = bytearray(np.random.default_rng(1).bytes(9 * BLOCK + 7))
    path.write_bytes(content)
    blocks = block_digests(path)[1]
    content[6 * BLOCK + 9] ^= 4
    path.write_bytes(content)
    cuts = [(0, 9), (9, 40), (BLOCK - 3, BLOCK), (BLOCK, 3 * BLOCK + 1), (8 * BLOCK, len(content))]
    starts, ends = np.array(cuts, dtype=np.int64).T
    for known in (blocks, None):
        gathered = Mapped(path, known).gather(starts, ends)
        assert bytes(gathered) == b"".join(content[start:end] for start, end in cuts)
    with pytest.raises(SnapshotDamagedError, match="x is damaged"):
        Mapped(path, blocks).gather(np.array([0, 5 * BLOCK + 9]), np.array([4, 6 * BLOCK + 1]))


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system cannot be told what is read next")
def test_the_disk_is_told_once_of_what_is_read_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, told = tmp_path / "x", []
    path.write_bytes(bytes(9 * BLOCK + 7))
    mapped = Mapped(path, block_digests(path)[1])
    monkeypatch.setattr(os, "posix_fadvise", lambda _, start, count, __: told.append((start // BLOCK, count // BLOCK)))
    cuts = [(0, 9), (9, 40), (BLOCK - 3, BLOCK + 3), (6 * BLOCK, 6 * BLOCK + 1), (8 * BLOCK, 9 * BLOCK + 7)]
    starts, ends = np.array(cuts, dtype=np.int64).T
    mapped.expect(starts, ends)
    assert told == [(0, 2), (6, 1), (8, 2)]
    mapped.gather(starts[:3], ends[:3])
    mapped.expect(starts[:4], ends[:4])
    assert told[3:] == [(6, 1)], "what was read and checked is not asked for again"
    mapped.expect(starts[:0], ends[:0])
    assert len(told) == 4


def test_bm25_is_that_of_bm25s(tmp_path: Path) -> None:
    bm25s = pytest.importorskip("bm25s")
    rng = np.random.default_rng(4)
    rows = [[str(w) for w in rng.choice(WORDS, int(rng.integers(0, 12)))] for _ in range(80)]
    theirs = bm25s.BM25(method="lucene")
    theirs.index([row or [""] for row in rows], show_progress=False)
    cuts = [(0, 30), (30, 31), (31, 80)]
    for i, (start, end) in enumerate(cuts):
        KeywordIndex.build(rows[start:end]).save(tmp_path / str(i))
    parts = [KeywordIndex.load(tmp_path / str(i)) for i in range(3)]
    ours = Keywords([(part, np.arange(end - start)) for part, (start, end) in zip(parts, cuts, strict=True)])
    for query in (["raad"], ["raad", "raad", "burger"], WORDS[:6]):
        assert ours.scores(query) == pytest.approx(theirs.get_scores(query), rel=1e-4)
    assert ours.scores(["onbekend"]).tolist() == [0.0] * 80


def test_joined_keywords_are_those_of_the_rows_that_are_left(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rows = [[str(w) for w in rng.choice(WORDS, int(rng.integers(0, 9)))] for _ in range(40)]
    first, second = KeywordIndex.build(rows[:25]), KeywordIndex.build(rows[25:])
    kept = np.flatnonzero(rng.random(25) < 0.6)
    left = [rows[i] for i in kept] + rows[25:]
    fresh = KeywordIndex.build(left)
    joined = KeywordIndex.join([(first, kept), (second, np.arange(15))])
    with_gaps = Keywords([(first, kept), (second, np.arange(15))])
    for query in (["raad"], WORDS[2:7]):
        assert joined.scores(query) == pytest.approx(fresh.scores(query))
        assert with_gaps.scores(query) == pytest.approx(fresh.scores(query))
    joined.save(tmp_path / "a")
    fresh.save(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


@pytest.mark.parametrize(("name", "least"), [("float16", 0.9999), ("bits4", 0.994), ("bits2", 0.935)])
def test_packed_vectors_are_near_what_they_were(name: str, least: float) -> None:
    vectors = np.random.default_rng(3).standard_normal((3000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    way = packing(name, 384)
    packed = way.pack(vectors)
    assert packed.shape == (3000, way.bytes)
    found = way.unpack(packed)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=2e-3)
    assert (found * vectors).sum(axis=1).mean() > least
    assert way.dots(packed, vectors[:20]) == pytest.approx(found @ vectors[:20].T, abs=3e-3)


@pytest.mark.parametrize("name", ["float16", "bits4", "bits2"])
@pytest.mark.parametrize("dim", [4, 36, 300, 768])
def test_vectors_of_any_length_are_multiplied_as_they_are_packed(name: str, dim: int) -> None:
    vectors = np.random.default_rng(4).standard_normal((50, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    way = packing(name, dim)
    packed = way.pack(vectors)
    assert way.dots(packed, vectors[:5]) == pytest.approx(way.unpack(packed) @ vectors[:5].T, abs=2e-2)


def test_cells_find_what_comparing_all_finds() -> None:
    rng = np.random.default_rng(8)
    centres = rng.standard_normal((50, 32))
    vectors = (centres[rng.integers(50, size=6000)] + 0.4 * rng.standard_normal((6000, 32))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    exact, cells = VectorIndex.build(vectors), VectorIndex.build(vectors, exact=1000)
    assert (exact.search_kind().kind, cells.search_kind().kind) == ("exact", "approximate")
    kept = np.flatnonzero(np.arange(6000) % 3)
    few = np.arange(4000) % 50 == 7
    for query in vectors[::500]:
        assert len(set(exact.search(query, 20)[0]) & set(cells.search(query, 20, share=0.25)[0])) >= 18
        among = Vectors([(cells, kept)]).search(query, 20)[0]
        assert (kept[among] % 3 > 0).all()
        assert len(set(kept[among]) & set(kept[Vectors([(exact, kept)]).search(query, 20)[0]])) >= 18
        some = Vectors([(exact, kept), (cells, kept)]).search(query, 20, np.concatenate([few, few]))[0]
        assert len(some) == 20
        assert few[some % 4000].all()


def test_the_snapshot_of_nothing_new_is_the_same_one(tmp_path: Path, fake: WordHashEncoder) -> None:
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [made("een", 1)])
    assert open_snapshot(settings, any_model=True).entries[0].id == "een"


def told(snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
    """What `fiche index info` says, to people and to programs."""
    about = describe_index(snapshot, searching(snapshot), "hier")
    out = io.StringIO()
    show_index(Console(file=out, width=200), about)
    return " ".join(out.getvalue().split()), json.loads(json.dumps(about))


def test_how_an_index_is_searched_is_chosen_and_told(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact while it is small; then candidates, of exact search first and of cells in the end."""
    settings = load_settings(home=tmp_path)
    small = build_index(settings, fake, [made(f"d{i}", i) for i in range(4)]).counts["sentences"]
    shown, data = told(opened(settings))
    assert f"search exact: each of the {small} sentences is scored" in shown
    assert f"nearest exact (FAISS Flat, {small} vectors)" in shown
    assert data["search"]["candidates"] is None
    monkeypatch.setattr(rag.searching, "ALL_ROWS", small)
    monkeypatch.setattr(VectorIndex, "build", partial(VectorIndex.build, exact=small))
    extend_index(settings, fake, [made(f"m{i}", 100 + i) for i in range(40)])
    snapshot = opened(settings)
    shown, data = told(snapshot)
    assert data["search"]["kind"] == "approximate"
    assert data["search"]["candidates"] == {
        "nearest": 2000, "worded": 200, "weighed": 300, "sure": 100, "read": 100,
    }  # fmt: skip
    assert "search approximate: candidates are the 2,000 nearest sentences and 200 passages by their words" in shown
    assert sum(way["rows"] for way in data["search"]["vectors"]) == len(snapshot.sentences)
    assert re.search(r"nearest approximate \(FAISS IVF\d+,SQ8, \d+ cells searched, \d+ vectors\)", shown)
    assert f"nearest exact (FAISS Flat, {small} vectors)" in shown
