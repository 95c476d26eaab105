"""Language models as LlamaIndex knows them: those that the settings name, and any other given in Python.

Knows nothing of what is asked. LlamaIndex's own clients for such endpoints retry within retries, ignore
their timeout on a stalled stream, and take a stream that was cut for a whole one; so the class here is
LlamaIndex's interface around `rag.llm`, which does none of that. `spoken` asks either kind within a budget.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.llms import LLM, CustomLLM
from pydantic import PrivateAttr

from index.errors import InputError
from index.settings import Settings
from rag.gguf import open_gguf
from rag.llm import Budget, LlmError, Message, Model, paced

__all__ = ["EndpointLLM", "open_llm", "spoken"]

_SECONDS = 60.0
_TOKENS = 1000


class EndpointLLM(CustomLLM):
    """A model at an OpenAI-compatible endpoint; `budget` and `tokens` may be given with every request."""

    _model: Model = PrivateAttr()

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model

    @property
    def metadata(self) -> LLMMetadata:
        """Its name, and that it takes messages."""
        return LLMMetadata(model_name=self._model.name, is_chat_model=True)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The reply as it grows.

        Raises:
            LlmError: while it is read: it does not come, or not whole.
        """
        budget = kwargs.get("budget") or Budget(_SECONDS, _TOKENS)
        told = [{"role": str(message.role.value), "content": message.content or ""} for message in messages]

        def responses() -> ChatResponseGen:
            text = ""
            for piece in self._model.stream(told, budget, int(kwargs.get("tokens", _TOKENS))):
                text += piece
                yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=piece)

        return responses()

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole reply."""
        *_, last = self.stream_chat(messages, **kwargs)
        return last

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The reply to one message."""
        return CompletionResponse(text=self.chat([ChatMessage(content=prompt)], **kwargs).message.content or "")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The reply to one message as it grows."""
        return (
            CompletionResponse(text=response.message.content or "", delta=response.delta)
            for response in self.stream_chat([ChatMessage(content=prompt)], **kwargs)
        )


def open_llm(settings: Settings) -> LLM | None:
    """The model that the settings name, or `None` where they name none.

    Raises:
        InputError: they name it in a way that is not known, or a file that is none.
        LlmError: it is a file, and cannot be loaded.
    """
    if not settings.llm:
        return None
    provider, _, name = settings.llm.partition(":")
    if provider not in ("openai", "ollama", "gguf") or not name:
        raise InputError(f"FICHE_LLM is {settings.llm!r}: set it to openai:MODEL, ollama:MODEL or gguf:FILE")
    return EndpointLLM(open_gguf(Path(name).expanduser()) if provider == "gguf" else Model(settings))


def spoken(llm: LLM, messages: Sequence[Message], budget: Budget, tokens: int) -> Iterator[str]:
    """What a model replies, in pieces, within the budget.

    Raises:
        LlmError: it fails, whatever its library calls that, or the time is over.
    """
    told = [ChatMessage(role=message["role"], content=message["content"]) for message in messages]
    if isinstance(llm, EndpointLLM):
        yield from (response.delta or "" for response in llm.stream_chat(told, budget=budget, tokens=tokens))
        return
    allowed, said, count = budget.take(tokens), False, 0
    for piece in paced(lambda: (response.delta or "" for response in llm.stream_chat(told)), budget):
        said, count = said or bool(piece.strip()), count + len(piece)
        yield piece
        if count > 8 * allowed:  # characters; a library may not know of any limit
            raise LlmError("the model does not stop: try another one in FICHE_LLM")
    if not said:
        raise LlmError("the model sent an empty completion: try another one in FICHE_LLM")
