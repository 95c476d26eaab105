"""Every error that fiche raises on purpose, each with its remedy in its message.

Knows nothing of where an error is shown; the command line turns it into one line.

    FicheError                  anything below
    ├── InputError              what the user gave cannot be used (exit status 2)
    │   ├── QuestionError       an empty, oversized or binary question
    │   ├── ScopeError          a filter that leaves no document to ask
    │   └── DocumentError       a document that is missing, unreadable or empty
    ├── ModelError              no usable encoder
    └── IndexStateError         no index, or one that must not be read (exit status 2)
        └── SnapshotDamagedError     a file is missing, changed or of another model or format
"""

__all__ = [
    "DocumentError",
    "FicheError",
    "IndexStateError",
    "InputError",
    "ModelError",
    "QuestionError",
    "ScopeError",
    "SnapshotDamagedError",
]


class FicheError(Exception):
    """An error whose message is one line: what is wrong, and the remedy.

    The command line speaks English. Where a page may show the error, `dutch` says the same in Dutch.
    """

    def __init__(self, message: str = "", dutch: str = "") -> None:
        super().__init__(message)
        self.dutch = dutch


class InputError(FicheError):
    """What the user gave cannot be used."""


class QuestionError(InputError):
    """A question that cannot be asked: empty, too long, or not text."""


class DocumentError(InputError):
    """A document that cannot be read: missing, empty, binary, or unknown."""


class ScopeError(InputError):
    """A filter on documents that leaves none, or that cannot be understood."""


class ModelError(FicheError):
    """The encoder's weights are missing or are not what they should be."""


class IndexStateError(FicheError):
    """There is no index to ask, or the one there is must not be read."""


class SnapshotDamagedError(IndexStateError):
    """A snapshot whose files differ from its manifest, or that another model made."""
