"""The process that reads one file within limits, and writes what it made of it to standard output.

Knows nothing of indexes. It is started by `intake` and by nobody else. A parser that is led astray by
a file takes no more memory or time than this process may have, and what it breaks is this process.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

from index.errors import DocumentError
from index.exchange import document_to_json

__all__ = ["MEMORY", "TIME", "main"]

MEMORY = 1_000_000_000
"""Bytes that reading one file may take."""
TIME = 25
"""Seconds that it may take, of the clock and of the processor."""
TOO_LARGE = (
    f"it takes more than {MEMORY // 1_000_000_000} GB of memory to read, far more than a document should",
    f"het lezen vergt meer dan {MEMORY // 1_000_000_000} GB geheugen, veel meer dan een document hoort te doen.",
)


def main() -> None:
    """Read the file named first, called what is named second."""
    path, identity = Path(sys.argv[1]), sys.argv[2]
    answers = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # a library that prints says nothing to whoever waits for an answer
    _limit()
    answer: dict[str, object]
    try:
        answer = _read(path, identity)
    except DocumentError as error:
        answer = {"error": [str(error), error.dutch]}
    except MemoryError:
        answer = {"error": TOO_LARGE}
    except RecursionError:
        answer = {
            "error": (
                "its parts lie too deep within each other: it is not read",
                "de onderdelen zitten te diep in elkaar. Het wordt niet gelezen.",
            )
        }
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        answer = {"error": (f"it cannot be read ({told}): check its permissions", f"het is niet te lezen ({told}).")}
    except Exception as error:  # a parser that a damaged file confuses raises anything
        told = type(error).__name__
        answer = {
            "error": (
                f"it is damaged ({told}): save or download it again",
                f"het is beschadigd ({told}). Bewaar of download het opnieuw.",
            )
        }
    answers.write(json.dumps(answer).encode())
    answers.close()
    os._exit(0)  # nothing is left to be tidied up, and a library's own end may hang on what it read


def _read(path: Path, identity: str) -> dict[str, object]:
    from index.formats.reading import read_file

    return {"document": document_to_json(read_file(path, identity))}


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, TIME),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with suppress(ValueError, OSError):  # a system that does not know the limit still has the clock's
            resource.setrlimit(what, (most, most))
