"""Parses XML and HTML with lxml, so that no entity is expanded and nothing is fetched.

Knows nothing of any format's elements.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

from lxml import etree, html

from index.errors import DocumentError

__all__ = ["Node", "parse_html", "parse_xml", "walk"]

Node: TypeAlias = Any
"""An element of a tree; lxml brings no types along."""
_MAX_DEPTH = 2_000
"""Elements within elements; a page that someone wrote has some dozens."""


def parse_xml(raw: bytes) -> Node:
    """The root of an XML document.

    Raises:
        DocumentError: it is damaged, or brings entities of its own.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(
            "its XML is damaged: save or download it again",
            "de XML erin is beschadigd. Bewaar of download het opnieuw.",
        ) from error
    if root.getroottree().docinfo.doctype:
        raise DocumentError(
            "its XML declares entities, as no word processor does: it is not read",
            "de XML erin bevat entiteiten, wat geen tekstverwerker doet. Het wordt niet gelezen.",
        )
    return root


def parse_html(text: str) -> Node:
    """The root of a web page.

    Raises:
        DocumentError: there is nothing in it, or its elements lie too deep within each other.
    """
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise DocumentError(
            "there are no words in it: give a document with text in it",
            "er staan geen woorden in. Kies een document met tekst.",
        )
    depth = 0
    for what, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if what == "start" else -1
        if depth > _MAX_DEPTH:
            raise DocumentError(
                f"its elements lie more than {_MAX_DEPTH:,} deep in each other: it is not read",
                f"de elementen zitten meer dan {_MAX_DEPTH} diep in elkaar. Het wordt niet gelezen.",
            )
    return root


def walk(root: Node, skip: Callable[[Node], bool]) -> Iterator[tuple[Literal["start", "text", "end"], Node, str]]:
    """Every element as it opens and closes, and every text with the element it is in, in the order of reading.

    Of an element that `skip` is true of nothing is given, but for the text after it.
    """
    walker = etree.iterwalk(root, events=("start", "end"))
    skipped: Node | None = None
    for what, node in walker:
        if not isinstance(node.tag, str):
            continue
        if what == "start":
            if skip(node):
                skipped = node
                walker.skip_subtree()
                continue
            yield "start", node, ""
            if node.text:
                yield "text", node, node.text
        else:
            if node is skipped:
                skipped = None
            else:
                yield "end", node, ""
            if node.tail and node is not root:
                yield "text", node.getparent(), node.tail
