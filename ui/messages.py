"""The words that the interface itself says, in Dutch and English; knows nothing of documents."""

from rag.language import Language

__all__ = ["say"]

_MESSAGES: dict[str, dict[Language, str]] = {
    "page": {"nl": "pagina", "en": "page"},
    "footnote": {"nl": "voetnoot", "en": "footnote"},
    "confidence": {"nl": "Zekerheid: {percent} %", "en": "Confidence: {percent}%"},
    "nearest": {"nl": "Wat het dichtst in de buurt komt:", "en": "What comes nearest:"},
    "chat_welcome": {
        "nl": "Stel uw vraag in het Nederlands of Engels. Stoppen: Ctrl-D of /stop.",
        "en": "Ask in Dutch or English. To stop: Ctrl-D or /stop.",
    },
    "serving": {
        "nl": "fiche staat klaar op {address}. Stoppen: Ctrl-C.",
        "en": "fiche is ready at {address}. To stop: Ctrl-C.",
    },
    "building": {
        "nl": "Er is nog geen index; die wordt nu gemaakt.",
        "en": "There is no index yet; making one now.",
    },
}


def say(key: str, lang: Language, **values: object) -> str:
    """The message `key` in a language, its gaps filled."""
    return _MESSAGES[key][lang].format(**values)
