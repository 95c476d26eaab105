"""Makes documents and questions of training texts, so that the whole of fiche can be asked about them.

An invented document is one as it stands; of a larger collection some fifty neighbouring passages
make one, as large as a fiche.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from evals.corpora import document_of_passages
from evals.reader.corpus import Corpus, Pair, read_corpus
from evals.sets import Question
from index.records import Document

__all__ = ["documents_of", "pools", "unlearnt"]

_EVALS = Path(__file__).parent.parent

_POOL = 50
_LANGUAGES: tuple[Literal["nl", "en"], ...] = ("nl", "en")


def pools(corpus: Corpus) -> list[tuple[list[int], list[Pair]]]:
    """Rows of passages that make a document, and the pairs on them; those with no pair are left out."""
    by_source: dict[str, list[int]] = {}
    for row, text in enumerate(corpus.texts):
        by_source.setdefault(text.source, []).append(row)
    rows = [own[i : i + _POOL] for own in by_source.values() for i in range(0, len(own), _POOL)]
    asked = [(pool, [pair for pair in corpus.pairs if pair.text in set(pool)]) for pool in rows]
    return [(pool, pairs) for pool, pairs in asked if pairs]


def documents_of(corpus: Corpus) -> Iterator[tuple[Document, list[Question]]]:
    """Each pool as a document, with its questions in both languages.

    A question's evidence is the sentence that answers it, and its tag the collection.
    """
    for pool, pairs in pools(corpus):
        texts = [corpus.texts[row] for row in pool]
        document = document_of_passages(
            texts[0].source, [(t.id, t.title, t.text) for t in texts], {t.id for t in texts if t.field}
        )
        yield document, [_question(corpus, pair, lang) for pair in pairs for lang in _LANGUAGES]


def unlearnt() -> Iterator[tuple[str, Document, list[Question]]]:
    """The kind of each text that the reader did not learn from, the text, and its questions.

    `unseen` are fiches that nothing was chosen by; the others are the held-out part of the training
    data, by collection, on which recipes are compared.
    """
    for document, questions in documents_of(read_corpus([_EVALS / "datasets" / "unseen"])):
        yield "unseen", document, questions
    training = read_corpus([_EVALS / "training", _EVALS / "training" / "invented"])
    for document, questions in documents_of(training.part(held_out=True)):
        yield questions[0].tags[0], document, questions


def _question(corpus: Corpus, pair: Pair, lang: Literal["nl", "en"]) -> Question:
    text = corpus.texts[pair.text]
    evidence: tuple[str, ...] = ()
    if pair.sentence is not None:
        start, end = text.spans[pair.sentence]
        evidence = (" ".join(text.text[start:end].split()),)
    kind = text.id.split("-")[0]
    return Question(f"{pair.id}-{lang}", pair.questions[lang], lang, bool(evidence), evidence, tags=(kind,))
