"""Turns ranked passages into retrieval measures, by ir_measures; knows nothing of answers."""

from collections.abc import Mapping, Sequence

import ir_measures
from ir_measures import RR, Success, nDCG

from evals.engines import Result
from evals.intervals import Estimate, bootstrap
from evals.sets import Question

__all__ = ["retrieval", "score_run"]

RETRIEVAL = {"success@1": Success @ 1, "success@5": Success @ 5, "rr": RR @ 10, "ndcg@10": nDCG @ 10}


def retrieval(
    questions: Sequence[Question], results: Sequence[Result], passages: Sequence[str]
) -> list[dict[str, float]]:
    """Success@1, Success@5, reciprocal rank and nDCG@10 of each question, by ir_measures.

    A passage is relevant when it contains a piece of evidence; `passages` are all there are, so
    that nDCG knows how many could have been found. Unanswerable questions get no scores.
    """
    numbered = {text: str(i) for i, text in enumerate(passages)}
    asked = {str(i): (q, r) for i, (q, r) in enumerate(zip(questions, results, strict=True)) if q.answerable}
    qrels = {
        key: {number: 1 for text, number in numbered.items() if question.evidence_in(text)}
        for key, (question, _) in asked.items()
    }
    ranked = {
        key: [numbered.get(text, f"unlisted-{rank}") for rank, text in enumerate(result.passages)]
        for key, (_, result) in asked.items()
    }
    scores = _score(qrels, ranked)
    return [scores.get(str(i), {}) for i in range(len(questions))]


def _score(qrels: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """The retrieval measures of each question; one with nothing found, or nothing to find, scores zero."""
    found: dict[str, dict[str, float]] = {key: dict.fromkeys(RETRIEVAL, 0.0) for key in qrels}
    names = {measure: name for name, measure in RETRIEVAL.items()}
    judged = [ir_measures.Qrel(key, doc, score) for key, docs in qrels.items() for doc, score in docs.items()]
    run = [
        ir_measures.ScoredDoc(key, doc, -float(rank)) for key, docs in ranked.items() for rank, doc in enumerate(docs)
    ]
    for metric in ir_measures.iter_calc(list(names), judged, run):
        found[metric.query_id][names[metric.measure]] = float(metric.value)
    return found


def score_run(qrels: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]) -> dict[str, Estimate]:
    """The retrieval measures over questions of any set, each with its interval.

    Args:
        qrels: for each question the relevance of passages, by id.
        ranked: for each question the ids of the passages found, best first.
    """
    scores = _score(qrels, ranked)
    return {name: bootstrap([[entry[name]] for entry in scores.values()]) for name in RETRIEVAL}
