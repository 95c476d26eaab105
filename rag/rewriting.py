"""Has a language model turn a follow-up question into one that stands alone, and checks what it made of it.

Knows nothing of documents. Without a model, or where what it wrote is no such question, the rules of
`rag.followup` complete the question. A model may only bring together what was asked: a name or a figure
that no question has is its own invention, and then its words are not used.
"""

from collections.abc import Sequence

from llama_index.core.llms import LLM

from index.records import Language
from rag.atoms import missing_names, numbers
from rag.claims import split_claims
from rag.followup import complete, leans
from rag.language import detect_language
from rag.llama_llm import spoken
from rag.llm import Budget
from rag.prompting import as_data, load_prompt
from rag.sources import gives_orders

__all__ = ["rewrite"]

_TOKENS = 60
_TURNS = 4
"""Earlier questions that a follow-up may lean on."""
_LONGEST = 40
"""Words of a question; more is no question any more."""


def rewrite(question: str, history: Sequence[str], lang: Language, llm: LLM, budget: Budget) -> str:
    """`question`, made to stand alone where it leans on the questions before it.

    Raises:
        LlmError: the model failed.
    """
    earlier = [asked for asked in history if asked.strip()][-_TURNS:]
    if not earlier or not leans(question):
        return question
    listed = "\n".join(f"- {as_data(asked)}" for asked in earlier)
    messages = load_prompt("rewrite", lang).messages(history=listed, question=as_data(question))
    reply = "".join(spoken(llm, messages, budget, _TOKENS))
    found = next((claim.text.strip(" \"'“”") for claim in split_claims(reply)), "")
    return found if _is_sound(found, [*earlier, question], lang) else complete(question, history)


def _is_sound(found: str, asked: Sequence[str], lang: Language) -> bool:
    """Whether it is one question in the same language that brings in nothing new."""
    known = {mark.value for text in asked for mark in numbers(text, lang)}
    return (
        found.endswith("?")
        and len(found.split()) <= _LONGEST
        and not gives_orders(found)
        and detect_language(found, lang) == lang
        and all(mark.value in known for mark in numbers(found, lang))
        and not missing_names(found, lang, [(text, lang) for text in asked])
    )
