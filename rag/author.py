"""A language model at work for an engine: understands a follow-up question, and writes an answer.

Knows nothing of screens. One budget of time and tokens serves everything that the model does for one
question. Loaded only where a model is set.
"""

from collections.abc import Iterator, Sequence

from llama_index.core.llms import LLM

from index.encoder import Encoder
from index.records import Language
from index.settings import Settings
from index.snapshot import Snapshot
from rag.grounding import Grounder
from rag.llama_llm import open_llm
from rag.llm import Budget
from rag.prompting import load_prompt
from rag.records import Retrieved, Writing
from rag.rewriting import rewrite
from rag.writing import Written, write

__all__ = ["Author", "open_author"]

SECONDS = 8.0
TOKENS = 400


class Author:
    """A LlamaIndex language model, and what it may use for a question."""

    def __init__(self, llm: LLM, seconds: float = SECONDS, tokens: int = TOKENS) -> None:
        self._llm, self._seconds, self._tokens = llm, seconds, tokens

    def budget(self) -> Budget:
        """The budget of one question; its clock runs from now."""
        return Budget(self._seconds, self._tokens)

    def understand(self, question: str, history: Sequence[str], lang: Language, budget: Budget) -> str:
        """The question, made to stand alone.

        Raises:
            LlmError: the model failed.
        """
        return rewrite(question, history, lang, self._llm, budget)

    def write(
        self,
        question: str,
        retrieved: Retrieved,
        quoting: Sequence[int],
        snapshot: Snapshot,
        encoder: Encoder,
        budget: Budget,
    ) -> Iterator[Written]:
        """The answer after each of its sentences; the last is the finished one.

        Raises:
            LlmError: the model failed, or nothing of its own stands.
        """
        grounder = Grounder(encoder, snapshot.centring)
        return write(question, retrieved, quoting, snapshot, grounder, self._llm, budget)

    def failed(self, lang: Language, why: str) -> Writing:
        """What is told of a model that gave no answer."""
        return Writing(self._llm.metadata.model_name, load_prompt("write", lang).version, failure=why)


def open_author(settings: Settings) -> Author | None:
    """The author that the settings name, or `None` where they name none.

    Raises:
        InputError: they name it in a way that is not known, or a file that is none.
        LlmError: it is a file, and cannot be loaded.
    """
    llm = open_llm(settings)
    return Author(llm, settings.llm_seconds, settings.llm_tokens) if llm else None
