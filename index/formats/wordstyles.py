"""What Word's styles and numbering say of a paragraph: heading or not, and the label before it.

Knows nothing of text. A style inherits from the one that it is based on; a label (`2.1`, `c)`) is not
in the text of a Word file but counted when it is shown, as it is here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from index.formats.labels import numeral
from index.formats.trees import Node

__all__ = ["Numbering", "Style", "Styles"]

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVELS = 9


@dataclass(frozen=True, slots=True)
class Style:
    """What counts of a paragraph's style."""

    name: str
    """In lower case and in English, as the file holds it: `heading 1` also where Word shows `Kop 1`."""
    level: int
    """Of a heading, from 1; otherwise 0."""
    list_id: str
    list_level: int


class Styles:
    """The paragraph styles of a file."""

    def __init__(self, part: Node) -> None:
        self._nodes = {s.get(f"{_W}styleId", ""): s for s in part.iter(f"{_W}style")}
        self._default = next(
            (i for i, s in self._nodes.items() if s.get(f"{_W}default") == "1" and s.get(f"{_W}type") == "paragraph"),
            "",
        )

    def of(self, properties: Node | None) -> Style:
        """The style of a paragraph with these properties."""
        own = _value(properties, "pStyle") or self._default
        chain = list(self._chain(own))
        name = (_value(chain[0], "name") if chain else "").lower()
        layers = [properties, *(node.find(f"{_W}pPr") for node in chain)]
        outline = next((v for layer in layers if (v := _value(layer, "outlineLvl")).isdigit()), "9")
        named = next(
            (
                int(n[8:])
                for node in chain
                if (n := _value(node, "name").lower()).startswith("heading ") and n[8:].isdigit()
            ),
            0,
        )
        level = named or (int(outline) + 1 if int(outline) < _LEVELS else 0)
        numbers = [layer.find(f"{_W}numPr") for layer in layers if layer is not None]
        lists = [number for number in numbers if number is not None]
        list_id = next((v for n in lists if (v := _value(n, "numId"))), "")
        depth = next((v for n in lists if (v := _value(n, "ilvl")).isdigit()), "")
        return Style(name, level, list_id, int(depth) if depth else max(0, level - 1))

    def _chain(self, identity: str) -> Iterator[Node]:
        seen: set[str] = set()
        while identity in self._nodes and identity not in seen:
            seen.add(identity)
            node = self._nodes[identity]
            yield node
            identity = _value(node, "basedOn")


def _value(node: Node | None, name: str) -> str:
    found = node.find(f"{_W}{name}") if node is not None else None
    return found.get(f"{_W}val", "") if found is not None else ""


@dataclass(frozen=True, slots=True)
class _Level:
    way: str
    text: str
    start: int


class Numbering:
    """The lists of a file, and how far each has counted."""

    def __init__(self, part: Node | None) -> None:
        self._lists: dict[str, tuple[str, list[_Level]]] = {}
        self._counts: dict[str, list[int]] = {}
        if part is None:
            return
        abstract = {
            a.get(f"{_W}abstractNumId"): [_level(v) for v in a.findall(f"{_W}lvl")[:_LEVELS]]
            for a in part.findall(f"{_W}abstractNum")
        }
        for number in part.findall(f"{_W}num"):
            shared = _value(number, "abstractNumId")
            restarts = any(number.iter(f"{_W}startOverride"))
            identity = number.get(f"{_W}numId", "")
            self._lists[identity] = (identity if restarts else f"shared {shared}", abstract.get(shared, []))

    def label(self, style: Style, properties: Node | None) -> str:
        """The label of the next paragraph with that style: `2.1`, `c)`, `-` for a bullet, or nothing."""
        name, levels = self._lists.get(style.list_id, ("", []))
        depth = min(style.list_level, len(levels) - 1)
        if depth < 0 or style.list_id == "0":
            return ""
        counts = self._counts.setdefault(name, [level.start - 1 for level in levels])
        counts[depth] += 1
        for deeper in range(depth + 1, len(levels)):
            counts[deeper] = levels[deeper].start - 1
        level = levels[depth]
        if level.way == "bullet":
            return "-"
        if level.way == "none":
            return ""
        label = level.text
        for i in range(depth + 1):
            label = label.replace(f"%{i + 1}", numeral(levels[i].way, max(counts[i], levels[i].start)))
        return " ".join(label.split())


def _level(node: Node) -> _Level:
    start = _value(node, "start")
    return _Level(_value(node, "numFmt") or "decimal", _value(node, "lvlText"), int(start) if start.isdigit() else 1)
