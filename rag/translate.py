"""Completes the translation memory of a document, segment by segment, with a language model.

Knows nothing of screens. A segment is kept only when it agrees with its Dutch (`index.agreement`);
one that does not is asked once more with what was wrong, and then left out and told. What was kept
is written after every few segments, so a run that was cut off goes on where it stopped.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np

from index.agreement import differences, length_is_unusual
from index.encoder import Encoder
from index.glossary import terms_in
from index.memory import Segment, TranslationMemory, key
from index.records import Document
from rag.llm import LlmError

__all__ = ["Completer", "Finding", "check_memory", "complete_memory", "segments_of", "unlike_segments"]

_SAVE_EVERY = 5
_GIVE_UP = 3
"""Failures of the endpoint in a row after which a run stops."""
_FAR = 2.5
"""Standard deviations below the mean similarity from which a segment is worth a look."""
_EQUAL = 1e-4
"""Similarities this near are one and the same."""
_FEW = 10
"""Segments below which nothing can be called unusual."""
_SHORT_WORDS = 5
"""A heading or a field of up to so many words is a term of the document: later segments are told it."""


class Completer(Protocol):
    """Whatever replies to a message; `rag.llm.Model` does."""

    def complete(self, system: str, user: str) -> str:
        """The reply."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A segment that somebody should look at."""

    source: str
    target: str
    problems: tuple[str, ...]
    wrong: bool
    """Whether it must be mended; else it is only unusual."""


def segments_of(document: Document) -> list[str]:
    """Every piece of a document that has a segment, once: headings, then sentences, fields and footnotes."""
    pieces = [s.title for s in document.sections]
    pieces += [document.text[s.start : s.end] for p in document.passages for s in p.sentences]
    return list({key(piece): piece for piece in pieces if re.search(r"\w", piece)}.values())


def check_memory(document: Document, memory: TranslationMemory) -> list[Finding]:
    """The segments of a document that are missing, disagree, or are unusually long or short."""
    found = []
    for source in segments_of(document):
        segment = memory.get(source)
        if segment is None:
            found.append(Finding(source, "", ("not translated",), wrong=True))
        elif problems := differences(segment.source, segment.target):
            found.append(Finding(source, segment.target, tuple(problems), wrong=True))
        elif length_is_unusual(segment.source, segment.target):
            found.append(Finding(source, segment.target, ("unusual length",), wrong=False))
    return found


def unlike_segments(document: Document, memory: TranslationMemory, encoder: Encoder) -> list[Finding]:
    """The segments whose English the encoder would not take for their Dutch.

    It is either far less similar to its Dutch than segments usually are (2.5 standard deviations), or
    less similar than the English of another segment is. None of that proves a fault: short titles and
    references are often found so.
    """
    segments = [s for piece in segments_of(document) if (s := memory.get(piece)) and s.target != s.source]
    if len(segments) < _FEW:
        return []
    dutch, english = (
        np.stack([e.pooled for e in encoder.encode(texts, query=False)])
        for texts in ([s.source for s in segments], [s.target for s in segments])
    )
    similarity = dutch @ english.T
    own = similarity.diagonal()
    usual = own.mean() - _FAR * own.std()
    found = []
    for i, segment in enumerate(segments):
        nearest = int(similarity[i].argmax())
        if similarity[i, nearest] > own[i] + _EQUAL:
            problem = f"nearer to the English of another segment: {segments[nearest].target[:60]}"
            found.append(Finding(segment.source, segment.target, (problem,), wrong=False))
        elif own[i] < usual:
            found.append(Finding(segment.source, segment.target, ("unusually unlike its Dutch",), wrong=False))
    return found


def complete_memory(
    document: Document,
    known: TranslationMemory,
    path: Path,
    model: Completer,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """Translate what `known` lacks, and write the document's memory to `path`.

    Args:
        document: what is translated.
        known: segments that exist already, of this document or another; they are taken over.
        path: the memory's TMX file; what it has is kept.
        model: is asked once or twice a segment.
        progress: told how many segments are done, and of how many.

    Returns:
        What was left untranslated.

    Raises:
        LlmError: the endpoint failed three times in a row; what was translated until then is written.
    """
    memory = TranslationMemory.read(path) if path.exists() else TranslationMemory()
    pieces = segments_of(document)
    for piece in pieces:
        if piece not in memory and (segment := known.get(piece)):
            memory.add(segment)
    path.parent.mkdir(parents=True, exist_ok=True)
    left: list[Finding] = []
    failures = 0
    todo = [i for i, piece in enumerate(pieces) if piece not in memory]
    try:
        for done, i in enumerate(todo):
            progress(len(pieces) - len(todo) + done, len(pieces))
            try:
                finding = _translate(pieces, i, memory, model)
                failures = 0
            except LlmError as error:
                failures += 1
                if failures == _GIVE_UP:
                    raise
                finding = Finding(pieces[i], "", (str(error),), wrong=True)
            if finding:
                left.append(finding)
            if done % _SAVE_EVERY == 0:
                memory.write(path)
    finally:
        memory.write(path)
    progress(len(pieces), len(pieces))
    return left


def _translate(pieces: Sequence[str], i: int, memory: TranslationMemory, model: Completer) -> Finding | None:
    """Put the segment of a piece into the memory, or say why not."""
    system = (files("rag") / "prompts" / "translate.txt").read_text(encoding="utf-8")
    asked = _message(pieces, i, memory)
    target = _clean(model.complete(system, asked))
    problems = differences(pieces[i], target)
    if problems:
        again = f"{asked}\n\nAn earlier attempt was wrong ({'; '.join(problems)}): {target}"
        target = _clean(model.complete(system, again))
        problems = differences(pieces[i], target)
    if problems or length_is_unusual(pieces[i], target):
        return Finding(pieces[i], target, tuple(problems) or ("unusual length",), wrong=True)
    memory.add(Segment(pieces[i], target, "machine"))
    return None


def _message(pieces: Sequence[str], i: int, memory: TranslationMemory) -> str:
    """The segment with the terms that it has, from the glossary and from this document."""
    piece = pieces[i]
    terms = terms_in(piece)
    for segment in memory:
        words = segment.source.split()
        if len(words) <= _SHORT_WORDS and segment.source != piece and segment.source in piece:
            terms.setdefault(segment.source, segment.target)
    listed = "\n".join(f"{dutch} = {english}" for dutch, english in terms.items()) or "(none)"
    before = pieces[i - 1] if i else "(none)"
    return f"Terms:\n{listed}\n\nThe segment before it, for context only:\n{before}\n\nSegment:\n{piece}"


def _clean(reply: str) -> str:
    """The reply without what models put around it."""
    reply = re.sub(r"^```\w*\n|\n```$", "", reply.strip())
    reply = re.sub(r"^(?:translation|english|segment)\s*:\s*", "", reply, flags=re.IGNORECASE)
    if len(reply) > 1 and (reply[0], reply[-1]) in {('"', '"'), ("“", "”"), ("'", "'")}:
        reply = reply[1:-1]
    return key(reply)
