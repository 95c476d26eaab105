"""Keeps an index in Milvus, and searches it there. The only file that imports pymilvus.

Knows nothing of questions. `milvus:FILE.db` is milvus-lite, in a file; `milvus:http://HOST:19530` a
cluster. Each segment has two collections that are never changed: its sentences with their pooled
vectors, and its passages with their words, which Milvus weighs by its own BM25. The words are stemmed
here, for milvus-lite has no Dutch analyzer, and both kinds shall find the same. A third collection holds
the segments' files in pieces, the manifests, and which of them is current: an upsert of that one entity
is the switch. Whoever opens the index takes the files that are not here yet into FICHE_HOME, each checked
against its digest; token vectors, from which the last ranking is made, are read from there.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException

from index.errors import FicheError, IndexStateError
from index.keywords import KeywordIndex
from index.manifest import parse_manifest
from index.records import Language
from index.segment import LANGUAGES, Segment
from index.snapshot import Snapshot, segment_files
from index.store import SnapshotStore
from index.vectors import VectorSearch

__all__ = ["MilvusSearch", "MilvusStore", "connect"]

T = TypeVar("T")
_FILES = "fiche_files"
_INDEX = "FLAT"
_CURRENT = "current"
_PIECE = 48_000
"""Bytes in an entity: 60,000 letters in base 85, of the 65,535 that Milvus takes."""
_ROWS = 500
_PIECES = 100
_MOST = 16_384
"""Milvus gives no more hits than this."""
_JOINT = "\u02bc"
"""Stands in a term for what an analyzer would part it at: a letter to Milvus, and to nobody else."""


@lru_cache(4)
def connect(uri: str, key: str) -> "MilvusStore":
    """The store at an address, or in a file; one connection a process.

    Raises:
        FicheError: nothing answers there.
    """
    return MilvusStore(uri, key)


class MilvusStore:
    """The index in one Milvus database."""

    def __init__(self, uri: str, key: str = "") -> None:
        self.uri = uri
        with self.told():
            self.client = MilvusClient(uri, token=key)
            if not self.client.has_collection(_FILES):
                self._create(_FILES, [("key", DataType.VARCHAR, 512), ("data", DataType.VARCHAR, 65_535)])

    @contextmanager
    def told(self) -> Iterator[None]:
        """Milvus's errors, as one line that says what helps."""
        try:
            yield
        except (MilvusException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise FicheError(f"Milvus at {self.uri} fails ({reason}): check FICHE_STORE, and that it runs") from error

    def _create(self, name: str, fields: Sequence[tuple[str, Any, int]]) -> None:
        """A collection; where it has no vectors, Milvus wants one all the same."""
        schema, index = MilvusClient.create_schema(auto_id=False), MilvusClient.prepare_index_params()
        for place, (field, kind, size) in enumerate(fields):
            given: dict[str, Any] = (
                {"dim": size} if kind == DataType.FLOAT_VECTOR else {"max_length": size} if size else {}
            )
            if field.startswith("words_"):
                given |= {"enable_analyzer": True, "analyzer_params": {"tokenizer": "standard"}}
            schema.add_field(field, kind, is_primary=not place, **given)
            if kind == DataType.FLOAT_VECTOR:
                index.add_index(field, index_type=_INDEX, metric_type="IP")
        for field in (field for field, *_ in fields if field.startswith("words_")):
            out = field.replace("words", "sparse")
            schema.add_field(out, DataType.SPARSE_FLOAT_VECTOR)
            schema.add_function(
                Function(name=out, function_type=FunctionType.BM25, input_field_names=[field], output_field_names=[out])
            )
            weights = {"bm25_k1": 1.5, "bm25_b": 0.75}
            index.add_index(out, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=weights)
        if not any(kind == DataType.FLOAT_VECTOR or field.startswith("words_") for field, kind, _ in fields):
            schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)
            index.add_index("unused", index_type=_INDEX, metric_type="IP")
        self.client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        self.client.load_collection(name)

    def current(self) -> str:
        """The id of the snapshot that is current there; empty where there is none."""
        pointer = self._pointer()
        return str(pointer["snapshot"]) if pointer else ""

    def _pointer(self) -> dict[str, Any] | None:
        with self.told():
            found = self.client.get(_FILES, ids=[_CURRENT], output_fields=["data"])
        return dict(json.loads(found[0]["data"])) if found else None

    def fetch(self, store: SnapshotStore) -> None:
        """Bring the files here to what is current there; nothing where they are.

        Raises:
            IndexStateError: there is no index there.
            SnapshotDamagedError: what comes is not what was written.
        """
        pointer = self._pointer()
        if pointer is None:
            raise IndexStateError(f"there is no index in Milvus at {self.uri}: run 'fiche index build'")
        if store.exists() and store.current() == pointer["snapshot"]:
            return
        raw = self._read(f"manifest/{pointer['snapshot']}", int(pointer["bytes"]))
        manifest = parse_manifest(raw, Path(f"manifest of {pointer['snapshot']}"))
        with store.writing() as writing:
            for part in manifest.segments:
                files = segment_files(manifest, part.segment)
                writing.take(
                    part.segment,
                    files,
                    lambda name, own=part.segment, listed=files: self._read(f"{own}/{name}", listed[name]["bytes"]),  # type: ignore[misc]
                )
            writing.adopt(manifest)

    def publish(self, store: SnapshotStore, snapshot: Snapshot, before: str) -> None:
        """Put what is current here there, and make it current there.

        Raises:
            FicheError: another than `before` has become current there meanwhile.
        """
        manifest = snapshot.manifest
        for segment, _ in snapshot.parts:
            if not self._has(f"{segment.id}/whole"):
                self._upload(store.root / "segments" / segment.id, segment, segment_files(manifest, segment.id))
        raw = manifest.to_bytes()
        self._write(f"manifest/{manifest.snapshot}", raw)
        pointer = self._pointer() or {"snapshot": "", "segments": []}
        if pointer["snapshot"] != before:
            raise FicheError(f"somebody else has changed the index in Milvus at {self.uri}: try again")
        kept = [segment.id for segment, _ in snapshot.parts]
        now = {"snapshot": manifest.snapshot, "bytes": len(raw), "segments": kept}
        self._upsert([{"key": _CURRENT, "data": json.dumps(now)}])
        self._sweep({*kept, *pointer["segments"]})

    def search(self, snapshot: Snapshot) -> "MilvusSearch":
        """What finds the candidates of a snapshot that is current there."""
        return MilvusSearch(self, snapshot)

    def _sweep(self, kept: set[str]) -> None:
        """Drop the segments of neither this snapshot nor the one before it, which readers may still ask."""
        with self.told():
            for name in self.client.list_collections():
                if name != _FILES and name.startswith("fiche_") and name.split("_")[1] not in kept:
                    self.client.drop_collection(name)
                    self.client.delete(_FILES, filter=f'key like "{name.split("_")[1]}/%"')

    def _upload(self, folder: Path, segment: Segment, files: Mapping[str, Any]) -> None:
        names = [f"fiche_{segment.id}_{kind}" for kind in ("sentences", "passages")]
        with self.told():
            for name in names:
                if self.client.has_collection(name):
                    self.client.drop_collection(name)  # begun by somebody who was killed
            key = [("row", DataType.INT64, 0), ("number", DataType.INT64, 0)]
            self._create(names[0], [*key, ("pooled", DataType.FLOAT_VECTOR, segment.vectors.dim)])
            self._create(names[1], [*key, *((f"words_{lang}", DataType.VARCHAR, 65_535) for lang in LANGUAGES)])
            numbers = np.repeat(np.arange(len(segment.entries)), segment.passage_counts)
            owners = np.repeat(numbers, segment.sentence_counts).tolist()
            vectors = segment.vectors.vectors()
            for rows in _batched(range(len(vectors)), _ROWS):
                listed = [{"row": r, "number": owners[r], "pooled": vectors[r].tolist()} for r in rows]
                self.client.insert(names[0], listed)
            words = {f"words_{lang}": _bags(segment.views["passages"][lang].words) for lang in LANGUAGES}
            for rows in _batched(range(len(numbers)), _ROWS):
                told = [{name: bags[r] for name, bags in words.items()} for r in rows]
                listed = [{"row": r, "number": int(numbers[r]), **own} for r, own in zip(rows, told, strict=True)]
                self.client.insert(names[1], listed)
        for name in files:
            self._write(f"{segment.id}/{name}", (folder / name).read_bytes())
        self._upsert([{"key": f"{segment.id}/whole", "data": ""}])

    def _has(self, key: str) -> bool:
        with self.told():
            return bool(self.client.get(_FILES, ids=[key], output_fields=["key"]))

    def _write(self, key: str, content: bytes) -> None:
        for places in _batched(range(0, len(content), _PIECE), _PIECES):
            pieces = [(at // _PIECE, content[at : at + _PIECE]) for at in places]
            self._upsert([{"key": f"{key}#{n}", "data": base64.b85encode(piece).decode()} for n, piece in pieces])

    def _upsert(self, entities: list[dict[str, Any]]) -> None:
        with self.told():
            self.client.upsert(_FILES, [entity | {"unused": [0.0, 0.0]} for entity in entities])

    def _read(self, key: str, size: int) -> bytes:
        content = bytearray()
        for numbers in _batched(range(-(-size // _PIECE)), _PIECES):
            keys = [f"{key}#{number}" for number in numbers]
            with self.told():
                found = {e["key"]: e["data"] for e in self.client.get(_FILES, ids=keys, output_fields=["key", "data"])}
                content += b"".join(base64.b85decode(found.get(one, "")) for one in keys)
        return bytes(content)


def _batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in groups; `itertools` has it from Python 3.12 on."""
    left = iter(items)
    while group := tuple(islice(left, size)):
        yield group


def _bags(words: KeywordIndex) -> list[str]:
    """The terms of each row, each as often as it stands there; one that nobody asks for where there is none."""
    bags: list[list[str]] = [[] for _ in words.lengths]
    for term in words.terms():
        rows, counts = words.postings(term)
        for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
            bags[row] += [_plain(term)] * count
    return [" ".join(bag) or _JOINT for bag in bags]


def _plain(term: str) -> str:
    return "".join(char if char.isalnum() else _JOINT for char in term)


class MilvusSearch:
    """Finds the candidates of a snapshot in Milvus: rows as the snapshot numbers them."""

    def __init__(self, store: MilvusStore, snapshot: Snapshot) -> None:
        self._store = store
        self._parts = [
            (segment.id, sorted(set(range(len(segment.entries))) - set(kept.tolist())), rows)
            for (segment, kept), rows in zip(snapshot.parts, snapshot.kept_rows, strict=True)
        ]

    @property
    def kinds(self) -> tuple[VectorSearch, ...]:
        """How it finds the nearest vectors: Milvus compares every one."""
        return (VectorSearch("Milvus", _INDEX, sum(len(rows["sentences"]) for _, _, rows in self._parts)),)

    def nearest(self, pooled: np.ndarray, count: int) -> np.ndarray:
        """Rows of the sentences whose pooled vectors are nearest."""
        return self._search("sentences", pooled.tolist(), "pooled", count)

    def worded(self, words: Mapping[Language, Sequence[str]], count: int) -> np.ndarray:
        """Rows of the passages that Milvus's BM25 puts first for the words of any language, best first."""
        asked = {lang: " ".join(map(_plain, own)) for lang, own in words.items() if own}
        found = [self._search("passages", query, f"sparse_{lang}", count) for lang, query in asked.items()]
        in_turn = (row for rank in zip_longest(*(rows.tolist() for rows in found)) for row in rank if row is not None)
        return np.array(list(dict.fromkeys(in_turn)), dtype=np.int64)

    def _search(self, kind: str, query: Any, field: str, count: int) -> np.ndarray:
        scored: list[tuple[float, int]] = []
        first = 0
        for segment, removed, rows in self._parts:
            kept = rows[kind]
            with self._store.told():
                (hits,) = self._store.client.search(
                    f"fiche_{segment}_{kind}",
                    data=[query],
                    anns_field=field,
                    limit=min(count, _MOST),
                    filter=f"number not in {removed}" if removed else "",
                    output_fields=["row"],
                )
            scored += [(abs(hit["distance"]), first + int(np.searchsorted(kept, hit["row"]))) for hit in hits]
            first += len(kept)
        return np.array([row for _, row in sorted(scored, reverse=True)[:count]], dtype=np.int64)
