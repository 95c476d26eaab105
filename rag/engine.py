"""Asks the current index a question, and answers it with citations or refuses.

Knows nothing of screens. One engine serves many threads: every question is answered from one
immutable snapshot, and a newer one is taken up between questions.
"""

import logging
import threading
import time
from typing import Literal

from index.build import current_snapshot, open_snapshot
from index.encoder import Encoder, load_encoder
from index.errors import FicheError
from index.settings import Settings
from index.snapshot import Snapshot
from rag.answer import cite, compose, refuse, select
from rag.confidence import Calibration, load_calibration, measure
from rag.language import Language, detect_language
from rag.noting import noted
from rag.question import clean_question
from rag.records import Answer, Retrieved
from rag.refusal import why_refused
from rag.retriever import TOP, Retriever

__all__ = ["Engine", "open_engine"]

_log = logging.getLogger(__name__)


class Engine:
    """Answers questions over one snapshot, or over whatever is current where settings are given."""

    def __init__(
        self,
        snapshot: Snapshot,
        encoder: Encoder,
        calibration: Calibration | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.encoder = encoder
        self.calibration = calibration or load_calibration(encoder.name)
        self._settings = settings
        self._retriever = Retriever(snapshot, encoder)
        self._lock = threading.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next question will be asked."""
        return self._current().snapshot

    def retrieve(self, question: str, lang: Language | Literal["auto"] = "auto", top: int = TOP) -> Retrieved:
        """The passages that a question is about, best first.

        Raises:
            QuestionError: the question cannot be asked.
        """
        asked = clean_question(question)
        return self._current().retrieve(asked, detect_language(asked) if lang == "auto" else lang, top)

    @noted
    def ask(self, question: str, lang: Language | Literal["auto"] = "auto") -> Answer:
        """Answer a question by quoting, or refuse.

        Raises:
            QuestionError: the question cannot be asked.
        """
        began = time.perf_counter()
        asked = clean_question(question)
        spoken = detect_language(asked) if lang == "auto" else lang
        retriever = self._current()
        snapshot = retriever.snapshot
        scores = retriever.score(asked, spoken)
        retrieved = retriever.rank(asked, spoken, scores)
        found = time.perf_counter()
        signals = measure(asked, spoken, scores, snapshot)
        abstained = self.calibration.refuses(signals)
        rows = [] if abstained else select(retrieved, snapshot, self.calibration)
        citations = cite(rows, snapshot)
        text = refuse(retrieved.hits, spoken) if abstained else compose(citations, spoken)
        reasons = why_refused(asked, spoken, signals, self.calibration, snapshot, retrieved.hits) if abstained else ()
        ended = time.perf_counter()
        return Answer(
            question=question,
            lang=spoken,
            answer=text,
            abstained=abstained,
            confidence=self.calibration.confidence(self.calibration.support(signals)),
            mode="extractive",
            citations=citations,
            passages=retrieved.hits,
            timings_ms={
                "retrieve": 1000 * (found - began),
                "answer": 1000 * (ended - found),
                "total": 1000 * (ended - began),
            },
            reasons=reasons,
        )

    def _current(self) -> Retriever:
        """The retriever of the current snapshot; the old one stays where the new one is unreadable."""
        retriever = self._retriever
        if self._settings is None:
            return retriever
        try:
            if current_snapshot(self._settings) != retriever.snapshot.manifest.snapshot:
                with self._lock:
                    self._retriever = retriever = Retriever(
                        open_snapshot(self._settings, known=retriever.snapshot), self.encoder
                    )
        except FicheError as error:
            _log.warning("the index changed and cannot be read, the one in memory goes on answering: %s", error)
        return retriever


def open_engine(settings: Settings) -> Engine:
    """An engine over the settings' current index.

    Raises:
        IndexStateError: there is no index.
        SnapshotDamagedError: it must not be read.
        ModelError: the model cannot be loaded.
    """
    snapshot = open_snapshot(settings)
    return Engine(snapshot, load_encoder(settings), settings=settings)
