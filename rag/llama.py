"""fiche as LlamaIndex knows such things: passages as nodes, a retriever, a query engine.

Only this file and the evaluation's plain pipeline import llama_index. The engine beneath is our
own: `CitationQueryEngine` drops the offsets that highlighting needs and gives nodes new ids.
"""

import asyncio
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.engine import Engine
from rag.records import Hit

__all__ = ["FicheQueryEngine", "FicheRetriever", "passage_node"]


def passage_node(hit: Hit) -> NodeWithScore:
    """A hit as a node: its id is the passage's, and its metadata say where it stands."""
    document, passage = hit.document, hit.passage
    node = TextNode(
        id_=passage.id,
        text=hit.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={
            "document": document.id,
            "page": document.page_at(hit.best.start),
            "section": passage.section,
            "heading": passage.heading,
            "kind": passage.kind,
            "best": document.text[hit.best.start : hit.best.end],
        },
    )
    return NodeWithScore(node=node, score=hit.score)


class FicheRetriever(BaseRetriever):
    """Retrieves the passages that a question is about."""

    def __init__(self, engine: Engine, similarity_top_k: int = 10) -> None:
        super().__init__()
        self._engine = engine
        self._top = similarity_top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._engine.retrieve(query_bundle.query_str, top=self._top)
        return [passage_node(hit) for hit in found.hits]


class FicheQueryEngine(BaseQueryEngine):
    """Answers with citations; `response.metadata` is the object that `fiche ask --json` prints."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(callback_manager=CallbackManager([]))
        self._engine = engine

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        answer = self._engine.ask(query_bundle.query_str)
        nodes = [passage_node(hit) for hit in answer.passages]
        return Response(response=answer.answer, source_nodes=nodes, metadata=answer.to_json())

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await asyncio.to_thread(self._query, query_bundle)
