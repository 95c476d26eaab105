"""The questions and passages that the reader learns from, cut into sentences and split by document.

Knows nothing of models. A sixth of the documents is held out by a digest of their name, so that
a recipe can be chosen on texts that it was not trained on.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.glosses import gloss
from index.sentences import split_sentences

__all__ = ["Corpus", "Pair", "Text", "read_corpus", "vary"]

_INVENTED = ("invented", "unseen")
"""Folders whose documents each stand alone, with the same fields as the others."""
_HELD_OUT = 6
"""One document in so many is held out."""


@dataclass(frozen=True, slots=True)
class Text:
    """A passage with its heading and its sentences."""

    id: str
    document: str
    title: str
    text: str
    spans: tuple[tuple[int, int], ...]
    field: bool
    """Whether it is the value of a metadata field, which its title names."""
    source: str
    """What it is to be told apart from: the collection it comes from, `aia` say, or its own document
    where every document of the collection has the same fields."""

    def sentence(self, i: int, *, titled: bool = True) -> str:
        """Sentence `i`, under its heading if `titled`: the form that an index embeds."""
        start, end = self.spans[i]
        return self._under(self.text[start:end], titled)

    def whole(self, *, titled: bool = True) -> str:
        """All of it, under its heading if `titled`."""
        return self._under(self.text, titled)

    def _under(self, words: str, titled: bool) -> str:
        about = gloss(self.title, "field") if self.field else ""
        title = f"{self.title} ({about})" if about else self.title
        return f"{title}: {words}" if titled and title else words


@dataclass(frozen=True, slots=True)
class Pair:
    """One question in both languages, and the sentence of its passage that answers it, if any does."""

    id: str
    text: int
    """The row of its passage in `Corpus.texts`."""
    questions: dict[str, str]
    sentence: int | None
    """The sentence that answers; `None` where the passage does not."""
    quote: tuple[int, int] | None
    """Where in the passage the words that answer stand."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages, and the question pairs on them."""

    texts: tuple[Text, ...]
    pairs: tuple[Pair, ...]

    def part(self, *, held_out: bool) -> "Corpus":
        """The passages and pairs of held-out documents, or of the others."""
        rows = [i for i, text in enumerate(self.texts) if _is_held_out(text.document) == held_out]
        new = {row: i for i, row in enumerate(rows)}
        pairs = [Pair(p.id, new[p.text], p.questions, p.sentence, p.quote) for p in self.pairs if p.text in new]
        return Corpus(tuple(self.texts[row] for row in rows), tuple(pairs))


def _is_held_out(document: str) -> bool:
    return int(hashlib.sha256(document.encode()).hexdigest(), 16) % _HELD_OUT == 0


def read_corpus(folders: Iterable[Path]) -> Corpus:
    """Read `passages.jsonl` and `questions.jsonl` of each folder.

    Raises:
        ValueError: a question's quote is not in its passage, or has no counterpart in the other language.
    """
    texts: list[Text] = []
    pairs: list[Pair] = []
    for folder in folders:
        rows = {}
        for record in _lines(folder / "passages.jsonl"):
            rows[record["id"]] = len(texts)
            whole = record.get("kind") == "field"
            spans = ((0, len(record["text"])),) if whole else tuple(split_sentences(record["text"]))
            source = record["document"] if folder.name in _INVENTED else record["id"].split("-")[0]
            texts.append(Text(record["id"], record["document"], record["title"], record["text"], spans, whole, source))
        asked: dict[str, dict[str, dict[str, str]]] = {}
        for record in _lines(folder / "questions.jsonl"):
            asked.setdefault(record["id"][:-3], {})[record["lang"]] = record
        pairs += [_pair(name, both, rows, texts) for name, both in asked.items()]
    return Corpus(tuple(texts), tuple(pairs))


def _lines(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def _pair(name: str, both: dict[str, dict[str, str]], rows: dict[str, int], texts: Sequence[Text]) -> Pair:
    if set(both) != {"nl", "en"}:
        raise ValueError(f"{name} is not asked in both languages")
    record = both["nl"]
    row = rows[record["passage"]]
    questions = {lang: both[lang]["question"] for lang in both}
    if not record["answerable"]:
        return Pair(name, row, questions, None, None)
    text = texts[row]
    start = text.text.find(record["quote"])
    if start < 0:
        raise ValueError(f"{name}: its quote is not in the passage {text.id}")
    end = start + len(record["quote"])
    overlap = [min(end, b) - max(start, a) for a, b in text.spans]
    return Pair(name, row, questions, overlap.index(max(overlap)), (start, end))


def vary(question: str, draw: random.Random) -> str:
    """The question as hurried people type it, now and then: small letters, no mark, a slip of the finger."""
    if draw.random() < 0.12:
        question = question.lower()
    if draw.random() < 0.12:
        question = question.rstrip(" ?")
    if draw.random() < 0.10:
        words = list(re.finditer(r"[^\W\d_]{6,}", question))
        if words:
            at = draw.choice(words)
            i = draw.randrange(at.start() + 1, at.end() - 2)
            slip = draw.choice(
                [question[i + 1] + question[i], question[i], question[i] + question[i] + question[i + 1]]
            )
            question = question[:i] + slip + question[i + 2 :]
    return question
