"""What tests share: the shipped fiche, a fast encoder that needs no model, and the real one."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from index.build import build_index, shipped_document
from index.encoder import Encoded, Encoder, load_encoder
from index.records import Document
from index.settings import GENERAL_MODEL, Settings, load_settings
from rag.engine import Engine, open_engine
from rag.records import Answer
from tests.citations import check_answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser import Open
    from tests.web import Site


class WordHashEncoder:
    """An encoder without a model: a word is a random unit vector, the same each time."""

    name = "word-hash"
    dim = 32

    def __init__(self, fingerprint: str = "word-hash:1") -> None:
        self.fingerprint = fingerprint

    def encode(self, texts: Sequence[str], *, query: bool) -> list[Encoded]:
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> Encoded:
        found = list(re.finditer(r"\w+", text)) or list(re.finditer(r".", text))
        tokens = np.stack([self._vector(m[0].lower()) for m in found])
        pooled = tokens.mean(axis=0)
        offsets = np.array([m.span() for m in found], dtype=np.int32)
        return Encoded(pooled / np.linalg.norm(pooled), tokens, offsets)

    def _vector(self, word: str) -> np.ndarray:
        return _word_vector(word, self.dim)


@cache
def _word_vector(word: str, dim: int) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="session", autouse=True)
def every_answer_is_checked() -> Iterator[None]:
    """No answer comes into being in any test whose citations do not hold, whatever the test looks at."""
    made = Answer.__init__

    def checked(self: Answer, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        check_answer(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answer, "__init__", checked)
        yield


@pytest.fixture(scope="session")
def fiche() -> Document:
    return shipped_document()


@pytest.fixture
def fake() -> WordHashEncoder:
    return WordHashEncoder()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FICHE_HOME with an index that the real model made of the shipped fiche."""
    path = tmp_path_factory.mktemp("home")
    settings = load_settings(home=path)
    build_index(settings, load_encoder(settings))
    return path


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    return load_settings(home=home)


@pytest.fixture(scope="session")
def general(home: Path) -> Encoder:
    """The general model, of the wheel."""
    return load_encoder(load_settings(home=home, model=GENERAL_MODEL))


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Engine:
    return open_engine(settings)


@pytest.fixture(scope="session")
def encoder(engine: Engine) -> Encoder:
    return engine.encoder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Site]":
    """The chat on a port of this machine."""
    from tests.web import running

    with running(tmp_path_factory.mktemp("web"), WordHashEncoder()) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, for the tests of one file: its driver and other event loops do not live side by side."""
    from tests.browser import launched

    with launched() as found:
        yield found


@pytest.fixture
def open_page(browser: "Browser", site: "Site") -> "Iterator[Open]":
    """Opens the chat of `site`."""
    from tests.browser import opening

    with opening(browser, site.url) as opened:
        yield opened
