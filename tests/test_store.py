"""Snapshots on disk: whole or not there, and never another than the one that was written."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from index.build import build_index, extend_index, index_store, open_snapshot
from index.errors import FicheError, IndexStateError, SnapshotDamagedError
from index.reader import read_text
from index.records import Document
from index.settings import Settings, load_settings
from index.snapshot import Snapshot
from index.store import Manifest, SnapshotStore
from rag.retriever import Retriever
from tests.conftest import WordHashEncoder

Open = Callable[[], Snapshot]


@pytest.fixture
def small() -> Document:
    return read_text("1. Inleiding\n\nHet kabinet is positief. De Raad beslist in mei.\n\n2. Slot\n\nKlaar.", "klein")


@pytest.fixture
def built(tmp_path: Path, fake: WordHashEncoder, small: Document) -> Settings:
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [small])
    return settings


def reopen(settings: Settings) -> Snapshot:
    return index_store(settings).read(Snapshot, "word-hash:1")


def test_what_is_written_is_read(built: Settings, small: Document, fake: WordHashEncoder) -> None:
    snapshot = reopen(built)
    assert snapshot.documents == {"klein": small}
    assert snapshot.manifest.counts == {"documents": 1, "passages": 2, "sentences": 3}
    assert len(snapshot.sentences) == snapshot.vectors.rows == 3
    assert snapshot.passage_of.tolist() == [0, 0, 1]
    hit = Retriever(snapshot, fake).retrieve("Wat beslist de Raad in mei?", "nl").hits[0]
    assert hit.text == small.text[hit.passage.start : hit.passage.end]
    assert small.text[hit.best.start : hit.best.end] == "De Raad beslist in mei."


def test_no_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexStateError, match="run 'fiche index build'"):
        open_snapshot(load_settings(home=tmp_path), any_model=True)


def test_every_file_is_guarded(built: Settings) -> None:
    store = index_store(built)
    folder, manifest = store.open()
    assert len(manifest.files) >= 10
    for name in [*manifest.files, "manifest.json", "../../CURRENT"]:
        path = folder / name
        whole = path.read_bytes()
        spoiled = [
            whole[: len(whole) // 2],
            b"",
            whole[: len(whole) // 2] + b"\xff" + whole[len(whole) // 2 + 1 :],
            os.urandom(64),
        ]
        for content in spoiled:
            if content == whole:
                continue
            path.write_bytes(content)
            with pytest.raises(SnapshotDamagedError) as caught:
                store.open()
            assert path.name in str(caught.value)
            assert "fiche index build" in str(caught.value)
        path.write_bytes(whole)
        if name != "../../CURRENT":
            path.unlink()
            with pytest.raises(SnapshotDamagedError, match="missing"):
                store.open()
            path.write_bytes(whole)
    store.open()


def test_random_flips_never_pass(built: Settings) -> None:
    rng = np.random.default_rng(11)
    store = index_store(built)
    folder, manifest = store.open()
    names = sorted(name for name, entry in manifest.files.items() if entry["bytes"])
    for _ in range(60):
        path = folder / names[rng.integers(len(names))]
        whole = bytearray(path.read_bytes())
        place = int(rng.integers(len(whole)))
        whole[place] ^= 1 << int(rng.integers(8))
        original = path.read_bytes()
        path.write_bytes(bytes(whole))
        with pytest.raises(SnapshotDamagedError, match=path.name.replace(".", r"\.")):
            store.open()
        path.write_bytes(original)


def test_a_file_of_another_snapshot_is_refused(built: Settings, fake: WordHashEncoder) -> None:
    other = read_text("1. Anders\n\nIets heel anders staat hier.", "anders")
    store = index_store(built)
    first, _ = store.open()
    kept = {p.name: p.read_bytes() for p in first.glob("*.npy")}
    build_index(built, fake, [other])
    second, _ = store.open()
    for name, content in kept.items():
        own = (second / name).read_bytes()
        if own != content:
            (second / name).write_bytes(content)
            with pytest.raises(SnapshotDamagedError):
                store.open()
            (second / name).write_bytes(own)


def test_another_model_or_format_is_refused(built: Settings) -> None:
    store = index_store(built)
    with pytest.raises(SnapshotDamagedError, match="made with the model word-hash"):
        store.open("word-hash:2")
    folder, manifest = store.open()
    fields = json.loads(manifest.to_bytes()) | {"format": 99}
    (folder / "manifest.json").write_text(json.dumps(fields))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "../../CURRENT").write_text(json.dumps({"snapshot": manifest.snapshot, "manifest_sha256": digest}))
    with pytest.raises(SnapshotDamagedError, match="format 99"):
        store.open()


def test_a_half_copied_index_is_refused(built: Settings, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    shutil.copytree(built.home / "index", copied)
    shutil.rmtree(next((copied / "segments").iterdir()) / "nl")
    with pytest.raises(SnapshotDamagedError, match="missing"):
        SnapshotStore(copied).open()
    shutil.rmtree(next((copied / "snapshots").iterdir()))
    with pytest.raises(SnapshotDamagedError, match="missing"):
        SnapshotStore(copied).open()


def test_a_failed_build_leaves_the_old_one(
    built: Settings, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reopen(built).manifest
    for error in (KeyboardInterrupt(), OSError(28, "No space left on device"), RuntimeError("model")):

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(WordHashEncoder, "encode", fail)
        with pytest.raises((KeyboardInterrupt, FicheError, RuntimeError)) as caught:
            build_index(built, fake)
        if isinstance(error, OSError):
            assert "no space left on device" in str(caught.value)
            assert "free some space" in str(caught.value)
        monkeypatch.undo()
        assert reopen(built).manifest == before
        assert [p.name for p in (built.home / "index" / "snapshots").iterdir()] == [before.snapshot]


def _build_slowly(home: Path) -> None:
    class Slow(WordHashEncoder):
        def encode(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            time.sleep(0.02)
            return super().encode(*args, **kwargs)  # type: ignore[arg-type]

    while True:
        build_index(load_settings(home=home), Slow())


def test_a_killed_build_leaves_the_old_or_the_new_one(built: Settings, fake: WordHashEncoder) -> None:
    context = multiprocessing.get_context("fork")
    rng = np.random.default_rng(3)
    for _ in range(12):
        process = context.Process(target=_build_slowly, args=(built.home,))
        process.start()
        time.sleep(float(rng.uniform(0.02, 0.5)))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        snapshot = reopen(built)
        assert set(snapshot.documents) in ({"klein"}, {"kst-22112-3908"})
    build_index(built, fake)
    assert not list((built.home / "index" / "snapshots").glob(".*"))


def test_readers_meet_only_whole_snapshots(built: Settings, fake: WordHashEncoder, small: Document) -> None:
    other = read_text("1. Anders\n\nIets heel anders staat hier.", "anders")
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                snapshot = reopen(built)
                document = next(iter(snapshot.documents.values()))
                question = "kabinet" if document.id == "klein" else "anders"
                hit = Retriever(snapshot, fake).retrieve(question, "nl").hits[0]
                assert hit.text in document.text
            except BaseException as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(30):
        build_index(built, fake, [other if turn % 2 else small])
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_a_disk_that_fails_once_costs_no_segment(
    built: Settings, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read now may be what the index consists of: nothing is thrown away."""
    store, read = index_store(built), SnapshotStore.manifest
    for failing in range(1, 9):
        asked = iter(range(1, 100))

        def flaky(self: SnapshotStore, *given: str, at: int = failing, asked: Iterator[int] = asked) -> Manifest:
            if next(asked) == at:
                raise SnapshotDamagedError("manifest.json cannot be read")
            return read(self, *given)

        monkeypatch.setattr(SnapshotStore, "manifest", flaky)
        with contextlib.suppress(SnapshotDamagedError):
            build_index(built, fake, [read_text(f"1. Deel {failing}\n\nHet kabinet is positief.", "klein")])
        monkeypatch.setattr(SnapshotStore, "manifest", read)
        assert len(open_snapshot(built, any_model=True).documents) == 1
        present = {path.name for path in (built.home / "index" / "segments").iterdir()}
        assert {part.segment for part in store.manifest().segments} <= present


def test_two_builds_at_once_are_told_apart(built: Settings, fake: WordHashEncoder) -> None:
    from filelock import FileLock

    with (
        FileLock(built.home / "index" / "build.lock"),
        pytest.raises(FicheError, match="another build is writing"),
    ):
        build_index(built, fake)


def test_adding_replaces_a_document_of_the_same_name(built: Settings, fake: WordHashEncoder) -> None:
    extend_index(built, fake, [read_text("1. Nieuw\n\nEen nieuwe tekst.", "klein"), read_text("Los verhaal.", "los")])
    documents = reopen(built).documents
    assert list(documents) == ["klein", "los"]
    assert "nieuwe tekst" in documents["klein"].text


def test_a_folder_that_cannot_be_written(tmp_path: Path, fake: WordHashEncoder) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(FicheError, match="set FICHE_HOME"):
        build_index(load_settings(home=blocked), fake)
