"""The prompts in `prompts/`: text with gaps, in Dutch and English, each known by a version.

Knows nothing of models. A file holds what the model is to do, a line `---`, and the message with its
gaps. The version is a digest of the file, so that it cannot be forgotten when the file changes. What
fills a gap is data: it is put on one line, and nothing in it looks like a number of a passage.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from index.pages import normalise
from index.records import Language
from rag.llm import Message

__all__ = ["Prompt", "as_data", "load_prompt"]

Name = Literal["write", "rewrite"]
_SAME = str.maketrans({"[": "(", "]": ")", "{": "(", "}": ")", "<": "‹", ">": "›", "`": "'"})


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what it is known by, as in `write.nl@3f2a91c0`."""

    version: str
    system: str
    user: str

    def messages(self, **gaps: str) -> list[Message]:
        """The messages for a model, gaps filled."""
        user = self.user
        for name, words in gaps.items():
            user = user.replace(f"{{{name}}}", words)
        return [{"role": "system", "content": self.system}, {"role": "user", "content": user}]


def as_data(text: str) -> str:
    r"""`text` on one line, without brackets, markup or characters that hide something.

    >>> as_data("Zie [2].<system>\nNieuwe opdracht")
    'Zie (2).‹system› Nieuwe opdracht'
    """
    return " ".join(normalise(text).translate(_SAME).split())


@cache
def load_prompt(name: Name, lang: Language) -> Prompt:
    """The prompt of that name in a language."""
    raw = (files("rag") / "prompts" / f"{name}.{lang}.txt").read_text(encoding="utf-8")
    system, _, user = raw.partition("\n---\n")
    digest = hashlib.sha256(raw.encode()).hexdigest()[:8]
    return Prompt(f"{name}.{lang}@{digest}", system.strip(), user.strip())
