"""A translation memory: Dutch segments and their English, kept as TMX 1.4b.

Knows nothing of indexes or answers. TMX is what translators' tools exchange, so a translator can
mend a segment in their own tool. It is parsed with defusedxml, for a memory may come from anyone.
Segments are looked up by their Dutch words, whatever the spaces between them: a sentence that
stands in a document twice has one segment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree  # writes only; nosec

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from index.errors import InputError

__all__ = ["Origin", "Segment", "TranslationMemory", "key"]

Origin = Literal["human", "machine"]
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ORIGIN = "x-origin"
MAX_BYTES = 50_000_000
"""A larger memory is refused: a fiche's has 100 kB."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One Dutch sentence, field, footnote or heading, and its English."""

    source: str
    target: str
    origin: Origin = "human"
    """Who made the English: a translator, or a machine whose work nobody has read."""


def key(words: str) -> str:
    """What a segment is looked up by: its words, with one space between them."""
    return re.sub(r"\s+", " ", words).strip()


class TranslationMemory:
    """Segments by their Dutch words."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._segments: dict[str, Segment] = {}
        for segment in segments:
            self.add(segment)

    def __len__(self) -> int:
        return len(self._segments)

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def __contains__(self, source: str) -> bool:
        return key(source) in self._segments

    def add(self, segment: Segment) -> None:
        """Take a segment in, in place of one for the same words."""
        self._segments[key(segment.source)] = segment

    def get(self, source: str) -> Segment | None:
        """The segment of these Dutch words, if there is one."""
        return self._segments.get(key(source))

    @classmethod
    def read(cls, path: Path) -> "TranslationMemory":
        """Read a TMX file; units without both languages are left out, and the first of a language counts.

        Raises:
            InputError: there is no such file, it is too large, or it is not TMX that can be read safely.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{path} has more than {MAX_BYTES // 1_000_000} MB: split the memory")
            root = parse(path, forbid_entities=True, forbid_external=True).getroot()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"{path} cannot be read ({reason}): check the path") from error
        except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise InputError(f"{path} is not TMX that can be read safely ({error}): export it again") from error
        if root is None or root.tag != "tmx":
            raise InputError(f"{path} is not a TMX file: export the memory as TMX 1.4b")
        return cls(segment for unit in root.iter("tu") if (segment := _segment(unit)))

    def write(self, path: Path) -> None:
        """Write the memory as TMX 1.4b, beside and renamed, so that `path` is never half written."""
        root = ElementTree.Element("tmx", version="1.4")
        header = {
            "creationtool": "fiche",
            "creationtoolversion": version("fiche"),
            "segtype": "sentence",
            "o-tmf": "fiche",
            "adminlang": "en",
            "srclang": "nl",
            "datatype": "plaintext",
            "creationdate": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
        }
        ElementTree.SubElement(root, "header", header)
        body = ElementTree.SubElement(root, "body")
        for number, segment in enumerate(self, 1):
            unit = ElementTree.SubElement(body, "tu", tuid=str(number))
            ElementTree.SubElement(unit, "prop", type=_ORIGIN).text = segment.origin
            for lang, words in (("nl", segment.source), ("en", segment.target)):
                variant = ElementTree.SubElement(unit, "tuv", {_LANG: lang})
                ElementTree.SubElement(variant, "seg").text = words
        ElementTree.indent(root, " ")
        beside = path.with_name(f".{path.name}.new")
        document = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n'
        beside.write_text(document + ElementTree.tostring(root, encoding="unicode") + "\n", encoding="utf-8")
        beside.replace(path)

    def translations(self) -> Mapping[str, str]:
        """English words by Dutch ones."""
        return {segment.source: segment.target for segment in self}


def _segment(unit: ElementTree.Element) -> Segment | None:
    words: dict[str, str] = {}
    for variant in unit.iter("tuv"):
        lang = (variant.get(_LANG) or variant.get("lang") or "").lower()[:2]
        seg = variant.find("seg")
        text = key("".join(seg.itertext())) if seg is not None else ""
        if text:
            words.setdefault(lang, text)
    if "nl" not in words or "en" not in words:
        return None
    origin = next((prop.text for prop in unit.iter("prop") if prop.get("type") == _ORIGIN), "human")
    return Segment(words["nl"], words["en"], "machine" if origin == "machine" else "human")
