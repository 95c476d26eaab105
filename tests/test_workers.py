"""Texts read by many readers have the vectors that one reader gives them."""

from pathlib import Path

import numpy as np
import pytest

import index.workers
from index.build import reading
from index.encoder import Encoded, Encoder
from index.errors import FicheError
from index.settings import Settings, load_settings
from index.workers import Workers
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


def test_the_address_of_no_cluster_is_an_error_without_ray(
    tmp_path: Path, fake: WordHashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "index.ray_workers", None)
    with pytest.raises(FicheError, match=r"pip install fiche\[ray\]"):
        reading(load_settings(home=tmp_path), fake, "local")
