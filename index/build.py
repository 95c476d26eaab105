"""The whole way from documents to a current index, and from there to a snapshot in memory.

Knows nothing of questions.
"""

import gc
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from index.encoder import Encoder, model_fingerprint
from index.errors import DocumentError, FicheError, InputError
from index.memory import TranslationMemory
from index.reader import read_document
from index.records import Document
from index.settings import Settings
from index.snapshot import EXACT_SENTENCES, Progress, Snapshot
from index.store import Manifest, SnapshotStore
from index.update import Update
from index.workers import Workers
from index.writing import Embed, content_digest

if TYPE_CHECKING:
    from index.milvus import MilvusStore

__all__ = [
    "SHIPPED",
    "Fate",
    "build_index",
    "compare_with_index",
    "current_snapshot",
    "extend_index",
    "index_exists",
    "index_store",
    "known_translations",
    "memory_folder",
    "open_snapshot",
    "reading",
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
    settings: Settings,
    encoder: Encoder,
    documents: Sequence[Document] = (),
    progress: Progress | None = None,
    embed: Embed | None = None,
) -> Manifest:
    """Index `documents`, or the shipped fiche where there are none, and make that index current.

    Args:
        settings: say where the index is.
        encoder: the model that questions will be asked with.
        documents: what the index holds afterwards.
        progress: told how far it is.
        embed: makes the vectors in place of `encoder` itself, which must be the same ones.

    Raises:
        FicheError: another build is running, or the disk does not take it.
    """
    remote = _remote(settings)
    before = remote.current() if remote else ""
    with index_store(settings).writing() as writing:
        update = Update(writing, None, encoder, known_translations(settings), embed, progress)
        manifest = update.apply(documents or [shipped_document()])
    _publish(settings, remote, before)
    return manifest


def compare_with_index(settings: Settings, documents: Iterable[Document]) -> dict[str, Fate]:
    """What adding these documents comes to, by name.

    One that the index holds exactly so, made with the model set now, is unchanged: nothing of it need
    be embedded. A translation memory that came later makes it a new one.
    """
    if not index_exists(settings):
        return {document.id: "added" for document in documents}
    present, memory = open_snapshot(settings, any_model=True), known_translations(settings)
    current = present.manifest.fingerprint == model_fingerprint(settings)
    known = {entry.id: entry.digest for entry in present.entries}
    found: dict[str, Fate] = {}
    for document in documents:
        before = known.get(document.id)
        found[document.id] = "added" if before is None else "replaced"
        if current and before == content_digest(document, memory):
            found[document.id] = "unchanged"
    return found


def extend_index(
    settings: Settings,
    encoder: Encoder,
    documents: Sequence[Document],
    progress: Progress | None = None,
    embed: Embed | None = None,
) -> Manifest:
    """Add `documents` to the current index, in place of those of the same name.

    Only what differs from what the index holds is embedded; where nothing does, the index stays as it is.

    Raises:
        FicheError: as `build_index`, or the current index must not be read.
    """
    return _change(settings, encoder, documents, (), progress, embed)


def remove_documents(
    settings: Settings, encoder: Encoder, names: Collection[str], progress: Progress | None = None
) -> Manifest:
    """Make an index without the documents of those names.

    Raises:
        DocumentError: one of them is not in the index, or nothing would be left.
        FicheError: as `build_index`, or the current index must not be read.
    """
    present = [entry.id for entry in open_snapshot(settings, any_model=True).entries]
    if missing := sorted(set(names) - set(present)):
        held = ", ".join(sorted(present))
        raise DocumentError(
            f"no document {missing[0]!r} in the index: it holds {held}",
            f"er staat geen document „{missing[0]}” in de index; wel: {held}.",
        )
    if set(names) >= set(present):
        raise DocumentError(
            "an index holds at least one document: add another before removing the last",
            "een index heeft minstens één document. Voeg er een toe voordat u het laatste verwijdert.",
        )
    return _change(settings, encoder, (), names, progress, None)


def _change(
    settings: Settings,
    encoder: Encoder,
    documents: Sequence[Document],
    removed: Collection[str],
    progress: Progress | None,
    embed: Embed | None,
) -> Manifest:
    store, remote = index_store(settings), _remote(settings)
    before = remote.current() if remote else ""
    if remote and before:
        remote.fetch(store)
    with store.writing() as writing:
        present = store.read(Snapshot) if store.exists() else None
        if present and present.manifest.fingerprint != encoder.fingerprint:  # other vectors: all anew
            kept = {name: d for name, d in present.documents.items() if name not in removed}
            documents, present = list({**kept, **{d.id: d for d in documents}}.values()), None
        update = Update(writing, present, encoder, known_translations(settings), embed, progress)
        manifest = update.apply(documents, removed)
    _publish(settings, remote, before)
    return manifest


def reading(settings: Settings, encoder: Encoder, ray: str = "") -> AbstractContextManager[Embed]:
    """What makes the vectors of many texts at once: on a Ray cluster, or on all cores of this machine.

    Raises:
        FicheError: Ray is not installed, or no cluster answers at the address.
    """
    if not ray:
        return Workers(settings, encoder)
    try:
        from index.ray_workers import RayWorkers
    except ImportError as error:
        raise FicheError("Ray is missing: run 'pip install fiche[ray]', or leave --ray out") from error
    return RayWorkers(settings, encoder, ray)


def _remote(settings: Settings) -> "MilvusStore | None":
    """Where the index is kept, if not in FICHE_HOME alone.

    Raises:
        InputError: the setting names no store that fiche knows.
        FicheError: the store's library is not installed, or it does not answer.
    """
    if not settings.store:
        return None
    kind, _, uri = settings.store.partition(":")
    if kind != "milvus" or not uri:
        raise InputError(f"FICHE_STORE is {settings.store!r}: set it to milvus:FILE.db or milvus:http://HOST:PORT")
    try:
        from index.milvus import connect
    except ImportError as error:
        raise FicheError("pymilvus is missing: run 'pip install fiche[milvus]', or unset FICHE_STORE") from error
    return connect(uri, settings.store_key.get_secret_value())


def _publish(settings: Settings, remote: "MilvusStore | None", before: str) -> None:
    store = index_store(settings)
    if remote and store.current() != before:
        remote.publish(store, store.read(Snapshot), before)


def index_exists(settings: Settings) -> bool:
    """Whether there is an index, here or where FICHE_STORE says."""
    remote = _remote(settings)
    return bool(remote.current()) if remote else index_store(settings).exists()


def current_snapshot(settings: Settings) -> str:
    """The id of the current snapshot; changes when another becomes current.

    Raises:
        IndexStateError: there is none.
    """
    remote = _remote(settings)
    return (remote.current() if remote else "") or index_store(settings).current()


def open_snapshot(settings: Settings, *, any_model: bool = False, known: Snapshot | None = None) -> Snapshot:
    """The current index, checked against its manifest and the settings' model.

    Args:
        settings: say where the index is and which model questions are asked with.
        any_model: only the texts are wanted, so the model does not matter.
        known: an earlier snapshot, whose segments need not be opened again.

    Raises:
        IndexStateError: there is none.
        SnapshotDamagedError: it must not be read.
    """
    remote, segments = _remote(settings), known.segments if known else {}
    if remote:
        remote.fetch(index_store(settings))
    snapshot = index_store(settings).read(
        lambda folder, manifest: Snapshot(folder, manifest, segments),
        None if any_model else model_fingerprint(settings),
        known=segments,
    )
    snapshot.elsewhere = remote.search(snapshot) if remote else None
    if len(snapshot.sentences) > EXACT_SENTENCES:
        _spare_collector()
    return snapshot


def _spare_collector() -> None:
    """Let Python's garbage collection pass over what lives as long as a large index does.

    It stopped a question for a tenth of a second, one in twenty. Of an index that was replaced the rest is
    collected when the next one is opened.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
