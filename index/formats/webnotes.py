"""The footnotes of a web page: which links are their marks, and what they say.

Knows nothing of the rest of the page. A mark is a raised link to another place of the page, or one
that says that it is a mark (DPUB-ARIA `doc-noteref`).
"""

import re

from index.footnotes import FootnoteLines
from index.formats.trees import Node, walk
from index.pages import Line

__all__ = ["WebNotes"]


class WebNotes:
    """The footnotes of a page: where they stand, and which links refer to them."""

    def __init__(self, root: Node) -> None:
        self.numbers: dict[str, int] = {}
        self.targets: dict[str, Node] = {}
        named = {node.get("id"): node for node in root.iter() if isinstance(node.tag, str) and node.get("id")}
        for link in root.iter("a"):
            name = link.get("href", "")[1:]
            if link.get("href", "").startswith("#") and name in named and _refers(link):
                target = None if name in self.numbers else _note_of(named[name])
                if target is not None:
                    self.numbers[name] = len(self.numbers) + 1
                    self.targets[name] = target
        self.nodes = set(self.targets.values())

    def number(self, link: Node) -> int | None:
        """The footnote that a link refers to, where it does."""
        return self.numbers.get(link.get("href", "")[1:]) if _refers(link) else None

    def lines(self) -> list[FootnoteLines]:
        """The footnotes, in the order in which the text refers to them."""
        found = []
        for name, node in self.targets.items():
            text = " ".join(t for what, _, t in walk(node, _is_backlink) if what == "text")
            bare = re.sub(r"^\s*(?:\[\d+\]|\d+[.)]?(?=\s))\s*", "", re.sub(r"\s+", " ", text))
            found.append(FootnoteLines(self.numbers[name], (Line(bare.strip(), 1),)))
        return [note for note in found if note.lines[0].text]


def _refers(link: Node) -> bool:
    """Whether a link is the mark of a footnote: raised, or said to be one, and no way back to the text."""
    if link.get("role") == "doc-noteref" or "noteref" in link.get("epub:type", ""):
        return True
    around = link.getparent()
    raised = (around is not None and around.tag == "sup") or any(child.tag == "sup" for child in link)
    text = "".join(link.itertext()).strip()
    back = any("foot" in a.get("class", "") and a.tag in ("section", "ol", "div") for a in link.iterancestors())
    return raised and bool(re.fullmatch(r"\[?(?:\d{1,4}|\*+|[a-z]{1,2})\]?", text)) and not back


def _is_backlink(node: Node) -> bool:
    text = "".join(node.itertext()).strip() if node.tag in ("a", "sup") else ""
    return (
        node.tag == "a"
        and node.get("href", "").startswith("#")
        and (node.get("role") == "doc-backlink" or len(text) <= 4)
    )


def _note_of(node: Node) -> Node | None:
    """The element that holds the whole note: an anchor within it may be what is linked to."""
    while node is not None and node.tag in ("a", "sup", "span", "b", "strong"):
        node = node.getparent()
    return node if node is not None and node.tag in ("li", "p", "div", "aside", "dd", "td", "section") else None
