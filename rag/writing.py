"""Has a language model write an answer from numbered passages, and lets through what its sources support.

Knows nothing of screens, and nothing is shown before its check. Each claim of the model is held against
the sentences of the passages that it cites (`rag.grounding`). One that fails is repaired, by the passage
that does support it or by quoting the best one, or it is dropped and counted. The answer stands on the
sentence that quoting would have given first, whatever the model thinks. Where nothing of the model's own
stands, or the model fails, an `LlmError` says why, and the quoting answer is given instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llama_index.core.llms import LLM

from index.records import Language
from index.snapshot import Snapshot
from rag.answer import cite, escape_markdown, quoted
from rag.atoms import numbers
from rag.claims import Claim, Claims
from rag.grounding import Grounder
from rag.kinds import expected_kinds, holds
from rag.language import detect_language
from rag.llama_llm import spoken
from rag.llm import Budget, LlmError
from rag.prompting import Prompt, as_data, load_prompt
from rag.records import Citation, Hit, Part, Retrieved, Writing
from rag.sources import Shown, gives_orders, show, source_of

__all__ = ["Written", "write"]

_TOKENS = 300
_NEAREST = 2
"""Sentences of a passage that a claim is held against; by themselves, and with one more of what it cites."""
_WORDS = 4
"""A claim of fewer words leans on the question, and cannot be checked by itself: its sentence is quoted."""
_ABOUT = 0.55
"""From so near on, a claim that fails was about the sentence that is then quoted."""
_REFUSALS = ("geen antwoord", "no answer")
_EXACT = ("number", "money", "date", "reference")
"""Kinds of thing that are copied: an answer to a question for one must have it."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that may be shown, with the rows of the sentences that it stands on."""

    text: str
    rows: tuple[int, ...]
    own: bool
    """Whether the model wrote it; else it is a quotation."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as far as it is written: what passed its check so far."""

    lang: Language
    text: str
    citations: tuple[Citation, ...]
    writing: Writing


@dataclass(slots=True)
class _Draft:
    sentences: list[_Sentence]
    dropped: int = 0
    repaired: int = 0


class _Desk:
    """All that is needed to judge the claims about one question."""

    def __init__(
        self, lang: Language, snapshot: Snapshot, grounder: Grounder, shown: Sequence[Shown], quoting: Sequence[int]
    ) -> None:
        self.lang, self.snapshot, self.grounder, self.quoting = lang, snapshot, grounder, quoting
        self.shown = {passage.number: passage.rows for passage in shown}

    def judge(self, claim: Claim, draft: _Draft) -> None:
        """Put a claim, or what takes its place, into the draft; or count it as dropped."""
        cited = [number for number in claim.cites if number in self.shown]
        if rows := self._support(claim, cited, most=2):
            draft.sentences.append(_Sentence(claim.text, rows, own=True))
        elif rows := self._support(claim, [number for number in self.shown if number not in cited]):
            draft.repaired += 1
            draft.sentences.append(_Sentence(claim.text, rows, own=True))
        elif (row := self._meant(claim)) is not None and all(row not in s.rows for s in draft.sentences):
            draft.repaired += 1
            draft.sentences.append(self.quote(row))
        else:
            draft.dropped += 1

    def quote(self, row: int) -> _Sentence:
        """The sentence of a row as a quotation."""
        return _Sentence(quoted(cite([row], self.snapshot)[0], self.lang)[1], (row,), own=False)

    def _support(self, claim: Claim, passages: Sequence[int], most: int = 1) -> tuple[int, ...]:
        """The fewest sentences of those passages, at most so many, that support a claim; none where they do not."""
        if not claim.whole or len(claim.text.split()) < _WORDS or gives_orders(claim.text):
            return ()
        if detect_language(claim.text, self.lang) != self.lang:
            return ()
        nearest = [row for number in passages for row in self._nearest(claim, self.shown[number])]
        others = [row for number in passages for row in self.shown[number]] if most > 1 else []
        pairs = [(row, other) for row in nearest for other in others if row != other]
        for rows in [*((row,) for row in nearest), *pairs]:
            if not self.grounder.check(claim.text, self.lang, [source_of(row, self.snapshot) for row in rows]):
                return rows
        return ()

    def _nearest(self, claim: Claim, rows: Sequence[int]) -> list[int]:
        return sorted(rows, key=lambda row: -self._nearness(claim, row))[:_NEAREST]

    def _nearness(self, claim: Claim, row: int) -> float:
        return self.grounder.nearness(claim.text, self.lang, source_of(row, self.snapshot))

    def _meant(self, claim: Claim) -> int | None:
        """The sentence that a failed claim was about, if it is one that answers the question."""
        best = max(self.quoting, key=lambda row: self._nearness(claim, row))
        return best if self._nearness(claim, best) >= _ABOUT else None


def write(
    question: str,
    retrieved: Retrieved,
    quoting: Sequence[int],
    snapshot: Snapshot,
    grounder: Grounder,
    llm: LLM,
    budget: Budget,
) -> Iterator[Written]:
    """The answer after each of its sentences; the last is the finished one.

    Args:
        question: what is asked, standing alone.
        retrieved: the passages for it, best first.
        quoting: rows of the sentences that answer it by quoting, best first; at least one.
        snapshot: what the rows are of.
        grounder: checks the claims.
        llm: writes.
        budget: what it may use.

    Raises:
        LlmError: it fails, or nothing of its own stands.
    """
    lang = retrieved.lang
    best = source_of(quoting[0], snapshot)
    shown = show(retrieved.hits, snapshot, lang)
    if gives_orders(f"{best.text} {best.translation}") or not shown:
        raise LlmError("the passage gives orders to a language model: it is quoted, and not written about")
    prompt = load_prompt("write", lang)
    desk = _Desk(lang, snapshot, grounder, shown, quoting)
    draft, about = _Draft([]), Writing(llm.metadata.model_name, prompt.version)
    for claim in _claims(question, shown, prompt, llm, budget):
        before = len(draft.sentences)
        desk.judge(claim, draft)
        if len(draft.sentences) > before:
            yield _finished(draft, snapshot, lang, about)
    if not any(sentence.own for sentence in draft.sentences):
        raise LlmError("no sentence of the model stood up to its check")
    _complete(question, draft, desk, retrieved.hits)
    yield _finished(draft, snapshot, lang, about)


def _claims(question: str, shown: Sequence[Shown], prompt: Prompt, llm: LLM, budget: Budget) -> Iterator[Claim]:
    passages = "\n".join(f"[{passage.number}] {passage.text}" for passage in shown)
    messages = prompt.messages(passages=passages, question=as_data(question))
    claims = Claims()
    for piece in spoken(llm, messages, budget, _TOKENS):
        yield from (_willing(claim) for claim in claims.feed(piece))
    yield from (_willing(claim) for claim in claims.close())


def _willing(claim: Claim) -> Claim:
    if claim.text.strip(" .!\"'“”").lower() in _REFUSALS:
        raise LlmError("the model found no answer in the passages")
    return claim


def _complete(question: str, draft: _Draft, desk: _Desk, hits: Sequence[Hit]) -> None:
    """Quote the best sentence first where the answer does not stand on it, or lacks the figure that was asked for."""
    row = desk.quoting[0]
    said = " ".join(sentence.text for sentence in draft.sentences if row in sentence.rows)
    text = source_of(row, desk.snapshot).text
    exact = any(kind in _EXACT and holds(text, kind) for kind in expected_kinds(question))
    if said and (not exact or numbers(said, desk.lang)):
        return
    draft.repaired += 1
    draft.sentences.insert(0, desk.quote(row))


def _finished(draft: _Draft, snapshot: Snapshot, lang: Language, about: Writing) -> Written:
    """The answer with its citations numbered in order of appearance."""
    rows = list(dict.fromkeys(row for sentence in draft.sentences for row in sentence.rows))
    citations = cite(rows, snapshot)
    parts = tuple(_part(s, tuple(rows.index(row) + 1 for row in s.rows), citations, lang) for s in draft.sentences)
    shown = zip(draft.sentences, parts, strict=True)
    text = " ".join(_markdown(sentence, part, citations, lang) for sentence, part in shown)
    return Written(lang, text, citations, replace(about, parts=parts, dropped=draft.dropped, repaired=draft.repaired))


def _part(sentence: _Sentence, cites: tuple[int, ...], citations: Sequence[Citation], lang: Language) -> Part:
    for n in cites:
        quote, translation = citations[n - 1].quote, citations[n - 1].translation or ""
        if sentence.own and (sentence.text in quote or (lang == "en" and sentence.text in translation)):
            return Part(sentence.text, "quoted" if sentence.text in quote else "translated", cites)
        if not sentence.own:
            return Part(
                sentence.text, "translated" if lang == "en" and translation not in ("", quote) else "quoted", cites
            )
    return Part(sentence.text, "supported", cites)


def _markdown(sentence: _Sentence, part: Part, citations: Sequence[Citation], lang: Language) -> str:
    """A sentence with its markers; words in another language after what says so, as in a quoting answer."""
    markers = "".join(f"[{n}]" for n in part.cites)
    lead, _ = ("", "") if sentence.own else quoted(citations[part.cites[0] - 1], lang)
    words = escape_markdown(part.text)
    return f"{lead} “{words}” {markers}" if lead else f"{words} {markers}"
