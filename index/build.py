"""The whole way from documents to a current index, and from there to a snapshot in memory.

Knows nothing of questions.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from index.encoder import Encoder, model_fingerprint
from index.errors import DocumentError
from index.memory import TranslationMemory
from index.reader import read_document
from index.records import Document
from index.settings import Settings
from index.snapshot import Progress, Snapshot, write_snapshot
from index.store import Manifest, SnapshotStore

__all__ = [
    "SHIPPED",
    "Fate",
    "build_index",
    "compare_with_index",
    "extend_index",
    "index_store",
    "known_translations",
    "memory_folder",
    "open_snapshot",
    "remove_documents",
    "shipped_document",
]

SHIPPED = "kst-22112-3908.nl.txt"
"""The document that comes with fiche."""
SHIPPED_MEMORY = "kst-22112-3908.en.tmx"
"""Its English, sentence by sentence."""

Fate = Literal["added", "replaced", "unchanged"]
"""What becomes of a document that is brought to an index."""


def index_store(settings: Settings) -> SnapshotStore:
    """Where the settings' index lives."""
    return SnapshotStore(settings.home / "index")


def shipped_document() -> Document:
    """The fiche that comes with the program."""
    with as_file(files("index") / "corpus" / SHIPPED) as path:
        return read_document(path)


def memory_folder(settings: Settings) -> Path:
    """Where the translation memories of documents that someone added are kept."""
    return settings.home / "memories"


def known_translations(settings: Settings) -> TranslationMemory:
    """Every segment that is known: the shipped fiche's, and those kept below FICHE_HOME, which go before.

    Raises:
        InputError: a memory below FICHE_HOME cannot be read.
    """
    with as_file(files("index") / "corpus" / SHIPPED_MEMORY) as path:
        memory = TranslationMemory.read(path)
    for own in sorted(memory_folder(settings).glob("*.tmx")):
        for segment in TranslationMemory.read(own):
            memory.add(segment)
    return memory


def build_index(
    settings: Settings, encoder: Encoder, documents: Sequence[Document] = (), progress: Progress | None = None
) -> Manifest:
    """Index `documents`, or the shipped fiche where there are none, and make that index current.

    Raises:
        FicheError: another build is running, or the disk does not take it.
    """
    return _write(settings, encoder, documents or [shipped_document()], progress)


def compare_with_index(settings: Settings, documents: Iterable[Document]) -> dict[str, Fate]:
    """What adding these documents comes to, by name.

    One that the index holds exactly so, made with the model set now, is unchanged: nothing of it need
    be embedded. A translation memory that came later makes it a new one.
    """
    store = index_store(settings)
    present = open_snapshot(settings, any_model=True) if store.exists() else None
    if present is None:
        return {document.id: "added" for document in documents}
    made = datetime.fromisoformat(present.manifest.created).timestamp()
    current = present.manifest.fingerprint == model_fingerprint(settings) and all(
        own.stat().st_mtime < made for own in memory_folder(settings).glob("*.tmx")
    )
    found: dict[str, Fate] = {}
    for document in documents:
        before = present.documents.get(document.id)
        found[document.id] = "added" if before is None else "replaced"
        if current and before == document:
            found[document.id] = "unchanged"
    return found


def extend_index(
    settings: Settings, encoder: Encoder, documents: Sequence[Document], progress: Progress | None = None
) -> Manifest:
    """Add `documents` to the current index, in place of those of the same name.

    Raises:
        FicheError: as `build_index`, or the current index must not be read.
    """
    present = open_snapshot(settings, any_model=True).documents if index_store(settings).exists() else {}
    added = {document.id: document for document in documents}
    return _write(settings, encoder, list({**present, **added}.values()), progress)


def remove_documents(
    settings: Settings, encoder: Encoder, names: Collection[str], progress: Progress | None = None
) -> Manifest:
    """Make an index without the documents of those names.

    Raises:
        DocumentError: one of them is not in the index, or nothing would be left.
        FicheError: as `build_index`, or the current index must not be read.
    """
    present = open_snapshot(settings, any_model=True).documents
    if missing := sorted(set(names) - set(present)):
        held = ", ".join(sorted(present))
        raise DocumentError(
            f"no document {missing[0]!r} in the index: it holds {held}",
            f"er staat geen document „{missing[0]}” in de index; wel: {held}.",
        )
    left = [document for document in present.values() if document.id not in names]
    if not left:
        raise DocumentError(
            "an index holds at least one document: add another before removing the last",
            "een index heeft minstens één document. Voeg er een toe voordat u het laatste verwijdert.",
        )
    return _write(settings, encoder, left, progress)


def _write(settings: Settings, encoder: Encoder, documents: Sequence[Document], progress: Progress | None) -> Manifest:
    return index_store(settings).write(
        lambda folder: write_snapshot(folder, documents, encoder, progress, known_translations(settings)),
        model=encoder.name,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
    )


def open_snapshot(settings: Settings, *, any_model: bool = False) -> Snapshot:
    """The current index, checked file by file against its manifest and the settings' model.

    Args:
        settings: say where the index is and which model questions are asked with.
        any_model: only the texts are wanted, so the model does not matter.

    Raises:
        IndexStateError: there is none.
        SnapshotDamagedError: it must not be read.
    """
    return index_store(settings).read(Snapshot, None if any_model else model_fingerprint(settings))
