"""Texts read by many readers have the vectors that one reader gives them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import index.workers
from index.build import build_index, open_snapshot, reading
from index.encoder import Encoded, Encoder
from index.errors import FicheError
from index.settings import Settings, load_settings
from index.workers import Workers
from index.writing import Embed, Progress
from rag.engine import Engine
from tests.agreement import agree, dev_questions
from tests.conftest import WordHashEncoder

TEXTS = [f"Artikel {i}: de lidstaten nemen {'passende ' * (i % 5)}maatregelen." for i in range(36)]


def same(found: dict[str, Encoded], encoder: Encoder) -> None:
    assert list(found) == TEXTS
    for text, one in zip(TEXTS, encoder.encode(TEXTS, query=False), strict=True):
        assert np.array_equal(found[text].tokens, one.tokens)
        assert np.array_equal(found[text].pooled, one.pooled)


def test_few_texts_start_no_process(tmp_path: Path, fake: WordHashEncoder) -> None:
    seen: list[tuple[int, int]] = []
    with Workers(load_settings(home=tmp_path), fake, count=2) as workers:
        same(workers(TEXTS, lambda done, total: seen.append((done, total))), fake)
        assert workers._pool is None
    assert seen[-1] == (36, 36)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.timeout(900)
def test_processes_read_as_one_reader(settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.workers, "FEW", 10)
    with Workers(settings, encoder, count=2) as workers:
        same(workers(TEXTS, None), encoder)
        assert workers._pool is not None
        next(iter(workers._pool._processes.values())).kill()
        with pytest.raises(FicheError, match="was killed"):
            workers(TEXTS * 20, None)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("default")
def test_ray_reads_as_one_reader(settings: Settings, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    with reading(settings, encoder, "local") as embed:
        same(dict(embed(TEXTS, None)), encoder)
    with pytest.raises(FicheError, match="other models"):
        reading(settings, WordHashEncoder(), "local")
    with pytest.raises(FicheError, match=r"Ray at 127\.0\.0\.1:1 fails"):
        reading(settings, encoder, "127.0.0.1:1")


@pytest.mark.long
@pytest.mark.model
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("default")
def test_an_index_that_ray_read_answers_as_any_other(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    there = load_settings(home=tmp_path)
    with reading(there, encoder, "local") as embed:
        made = build_index(there, encoder, embed=counting(embed, read := []))
    assert len(read) == len(set(read)) > made.counts["passages"]
    agree(Engine(open_snapshot(there), encoder), Engine(open_snapshot(settings), encoder), dev_questions())


def counting(embed: Embed, read: list[str]) -> Embed:
    """`embed`, which notes what it was given: all of the index must have gone through it."""

    def noted(texts: Sequence[str], progress: Progress | None) -> dict[str, Encoded]:
        read.extend(texts)
        return embed(texts, progress)

    return noted


def test_the_address_of_no_cluster_is_an_error_without_ray(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "index.ray_workers", None)
    with pytest.raises(FicheError, match=r"pip install fiche\[ray\]"):
        reading(load_settings(home=tmp_path), fake, "local")
