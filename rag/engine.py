"""Asks the current index a question, and answers it with citations or refuses.

Knows nothing of screens. One engine serves many threads: every question is answered from one
immutable snapshot, and a newer one is taken up between questions.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from index.build import current_snapshot, open_snapshot
from index.encoder import Encoder, load_encoder
from index.errors import FicheError
from index.settings import Settings
from index.snapshot import Snapshot
from rag.answer import cite, compose, refuse, select
from rag.confidence import Calibration, load_calibration, measure
from rag.language import Language, detect_language
from rag.llm import Budget, LlmError
from rag.noting import noted
from rag.question import clean_question
from rag.records import Answer, Reason, Retrieved, Writing
from rag.refusal import why_refused
from rag.retriever import TOP, Retriever
from rag.scope import Scope
from rag.understanding import understand

if TYPE_CHECKING:
    from rag.author import Author
    from rag.writing import Written

__all__ = ["Engine", "open_engine"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found for a question."""

    snapshot: Snapshot
    retrieved: Retrieved
    signals: dict[str, float]
    rows: tuple[int, ...]
    """The sentences that answer by quoting; none where the question is refused."""


class Engine:
    """Answers questions over one snapshot, or over whatever is current where settings are given."""

    def __init__(
        self,
        snapshot: Snapshot,
        encoder: Encoder,
        calibration: Calibration | None = None,
        settings: Settings | None = None,
        author: "Author | None" = None,
    ) -> None:
        self.encoder, self.author = encoder, author
        self.calibration = calibration or load_calibration(encoder.name)
        self._settings = settings
        self._retriever = Retriever(snapshot, encoder)
        self._lock = threading.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next question will be asked."""
        return self._current().snapshot

    def retrieve(
        self,
        question: str,
        lang: Language | Literal["auto"] = "auto",
        top: int = TOP,
        scope: Scope | None = None,
    ) -> Retrieved:
        """The passages that a question is about, best first.

        Raises:
            QuestionError: the question cannot be asked.
            ScopeError: the filter leaves no document.
        """
        asked = clean_question(question)
        return self._current().retrieve(asked, detect_language(asked) if lang == "auto" else lang, top, scope)

    def understand(self, question: str, history: Sequence[str], lang: Language | Literal["auto"] = "auto") -> str:
        """A question as it is meant in a conversation: itself, or one that stands alone.

        Args:
            question: as it was typed.
            history: the questions before it, as they were understood, oldest first.
            lang: its language; `auto` finds it out.

        Raises:
            QuestionError: the question cannot be asked.
        """
        asked = clean_question(question)
        spoken = detect_language(asked) if lang == "auto" else lang
        meant, _ = self._understand(asked, history, spoken, self.author.budget() if self.author else None)
        return question if meant == asked else meant

    def ask(
        self,
        question: str,
        lang: Language | Literal["auto"] = "auto",
        history: Sequence[str] = (),
        scope: Scope | None = None,
    ) -> Answer:
        """Answer a question, or refuse: by quoting, or in a language model's words where there is one.

        Args:
            question: as it was typed.
            lang: its language; `auto` finds it out.
            history: the questions before it, as they were understood; a follow-up is completed from them.
            scope: a filter on the documents that it is put to.

        Raises:
            QuestionError: the question cannot be asked.
            ScopeError: the filter leaves no document.
        """
        *_, answer = self.stream(question, lang, history, scope)
        assert isinstance(answer, Answer)  # noqa: S101 - what `stream` ends with
        return answer

    @noted
    def stream(
        self,
        question: str,
        lang: Language | Literal["auto"] = "auto",
        history: Sequence[str] = (),
        scope: Scope | None = None,
    ) -> "Iterator[Written | Answer]":
        """As `ask`, but first the answer after each sentence that has passed its check, and the whole in the end.

        Where the model fails in the middle the answer quotes instead, and what came before is void.

        Args:
            question: as it was typed.
            lang: its language; `auto` finds it out.
            history: the questions before it, as they were understood; a follow-up is completed from them.
            scope: a filter on the documents that it is put to.

        Raises:
            QuestionError: the question cannot be asked.
            ScopeError: the filter leaves no document.
        """
        began = time.perf_counter()
        asked = clean_question(question)
        spoken = detect_language(asked) if lang == "auto" else lang
        budget = self.author.budget() if self.author else None
        understood, failure = self._understand(asked, history, spoken, budget)
        found = self._find(understood, spoken, scope)
        retrieved = time.perf_counter()
        written: Written | None = None
        writing: Writing | None = None
        if budget and found.rows:
            for step in self._write(found, budget, failure):
                if isinstance(step, Writing):
                    written, writing = None, step
                else:
                    written, writing = step, step.writing
                    yield step
        answer = self._answer(found, written, writing)
        ended = time.perf_counter()
        timings = {"retrieve": retrieved - began, "answer": ended - retrieved, "total": ended - began}
        yield replace(
            answer,
            question=question if understood == asked else understood,
            timings_ms={name: 1000 * seconds for name, seconds in timings.items()},
        )

    def _understand(
        self, question: str, history: Sequence[str], lang: Language, budget: Budget | None
    ) -> tuple[str, str]:
        """The question, made to stand alone, and why the model that should have done so failed."""
        if not history:
            return question, ""
        if self.author and budget:
            try:
                return clean_question(self.author.understand(question, history, lang, budget)), ""
            except LlmError as error:
                return clean_question(understand(question, lang, history, self._current())), str(error)
        return clean_question(understand(question, lang, history, self._current())), ""

    def _find(self, question: str, lang: Language, scope: Scope | None) -> "_Found":
        retriever = self._current()
        aim = retriever.shelf.aim(question, scope)
        question = aim.question
        scores = retriever.score(question, lang, aim)
        retrieved = retriever.rank(question, lang, scores)
        signals = measure(question, lang, scores, retriever.snapshot)
        refused = self.calibration.refuses(signals)
        rows = () if refused else tuple(select(retrieved, retriever.snapshot, self.calibration))
        return _Found(retriever.snapshot, retrieved, signals, rows)

    def _write(self, found: "_Found", budget: Budget, failure: str) -> "Iterator[Written | Writing]":
        """What the model writes, or in the end that it failed: one line in the log, and one way out."""
        assert self.author  # noqa: S101 - there is a budget, so there is an author
        try:
            if failure:
                raise LlmError(failure)
            asked = found.retrieved
            yield from self.author.write(asked.question, asked, found.rows, found.snapshot, self.encoder, budget)
        except LlmError as error:
            _log.warning("quoting, for the language model gave no answer: %s", error)
            yield self.author.failed(found.retrieved.lang, str(error))

    def _answer(self, found: "_Found", written: "Written | None", writing: Writing | None) -> Answer:
        asked, snapshot = found.retrieved, found.snapshot
        refused = not found.rows
        citations = written.citations if written else cite(found.rows, snapshot)
        quoting = refuse(asked.hits, asked.lang) if refused else compose(citations, asked.lang)
        why: tuple[Reason, ...] = ()
        if refused:
            why = why_refused(asked.question, asked.lang, found.signals, self.calibration, snapshot, asked.hits)
        return Answer(
            question=asked.question,
            lang=asked.lang,
            answer=written.text if written else quoting,
            abstained=refused,
            confidence=self.calibration.confidence(self.calibration.support(found.signals)),
            mode="written" if written else "extractive",
            citations=citations,
            passages=asked.hits,
            timings_ms={},
            reasons=why,
            writing=writing,
            documents=len(snapshot.entries),
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
    """An engine over the settings' current index, with the language model that they name.

    Raises:
        IndexStateError: there is no index.
        SnapshotDamagedError: it must not be read.
        ModelError: the model cannot be loaded.
        InputError: they name a language model in a way that is not known.
        LlmError: a language model in a file cannot be loaded.
    """
    author = None
    if settings.llm:
        from rag.author import open_author  # LlamaIndex takes seconds to import

        author = open_author(settings)
    snapshot = open_snapshot(settings)
    return Engine(snapshot, load_encoder(settings), settings=settings, author=author)
