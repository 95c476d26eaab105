"""Asks a language model behind an OpenAI-compatible endpoint for a completion.

Knows nothing of what is asked. One request has one time budget; nothing is retried here, so that
retries cannot nest. Whatever goes wrong is one `LlmError`, which never holds the key.
"""

import json
import time
from typing import Any

import httpx

from index.errors import FicheError
from index.settings import Settings

__all__ = ["LlmError", "Model"]

_PROVIDERS = {"openai": "https://api.openai.com/v1", "ollama": "http://127.0.0.1:11434/v1"}
_MAX_BYTES = 1_000_000


class LlmError(FicheError):
    """The endpoint did not give a completion."""


class Model:
    """One model at one endpoint.

    Raises:
        LlmError: the settings name no model that can be asked.
    """

    def __init__(self, settings: Settings) -> None:
        provider, _, self.name = settings.llm.partition(":")
        if provider not in _PROVIDERS or not self.name:
            raise LlmError("no language model is set: set FICHE_LLM to openai:MODEL or ollama:MODEL, and FICHE_LLM_URL")
        self.url = (settings.llm_url or _PROVIDERS[provider]).rstrip("/")
        self._key = settings.llm_key.get_secret_value()

    def complete(self, system: str, user: str, *, seconds: float = 60.0, tokens: int = 1000) -> str:
        """The model's reply to one message.

        Args:
            system: what the model is to do.
            user: what it is to do that with.
            seconds: the whole time that it may take, however slowly bytes come in.
            tokens: the longest reply.

        Raises:
            LlmError: it cannot be reached, takes too long, or replies with something else than text.
        """
        body = {
            "model": self.name,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": tokens,
        }
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            raw = self._post(body, headers, time.monotonic() + seconds)
            reply = json.loads(raw)["choices"][0]["message"]["content"]
        except httpx.HTTPError as error:
            raise LlmError(f"{self.url} does not answer ({type(error).__name__}): check FICHE_LLM_URL") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise LlmError(f"{self.url} sent something else than a completion: check FICHE_LLM_URL") from error
        if not isinstance(reply, str) or not reply.strip():
            raise LlmError(f"{self.url} sent an empty completion: try another model in FICHE_LLM")
        return reply.strip()

    def _post(self, body: dict[str, Any], headers: dict[str, str], deadline: float) -> bytes:
        left = max(0.1, deadline - time.monotonic())
        with (
            httpx.Client(timeout=httpx.Timeout(left, connect=min(left, 10.0)), follow_redirects=False) as client,
            client.stream("POST", f"{self.url}/chat/completions", json=body, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise LlmError(f"{self.url} refused with status {response.status_code}: check FICHE_LLM and its key")
            found = b""
            for piece in response.iter_bytes():
                found += piece
                if time.monotonic() > deadline:
                    raise LlmError(f"{self.url} took too long: try again, or a faster model in FICHE_LLM")
                if len(found) > _MAX_BYTES:
                    raise LlmError(f"{self.url} sent more than a completion: check FICHE_LLM_URL")
            return found
