"""Builds HTML out of words; the one place where text of documents and questions is escaped.

Knows nothing of what the words mean. Everything shown in the browser is made with `tag`: a plain
string given to it is text and goes through `escape`, and only what `tag` made is markup.
"""

import re

__all__ = ["Markup", "escape", "join", "tag", "visible"]

_SPECIAL = {c: f"&#{ord(c)};" for c in "&<>\"'`={}$"}
"""What HTML, an unquoted attribute, or a template of JavaScript or Handlebars could read as markup."""
_INVISIBLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
"""Control characters, and those that turn the direction of writing or hide words."""
_VOID = {"br", "hr", "input"}
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Markup(str):
    """HTML that `tag` or `join` made."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """`text` as HTML that shows exactly its visible characters and does nothing.

    >>> escape('<b onclick="x">{{y}}</b>')
    '&#60;b onclick&#61;&#34;x&#34;&#62;&#123;&#123;y&#125;&#125;&#60;/b&#62;'
    """
    if isinstance(text, Markup):
        return text
    return Markup("".join(_SPECIAL.get(char, char) for char in visible(text)))


def visible(text: str) -> str:
    """`text` without what is not seen, or turns what is."""
    return _INVISIBLE.sub("", text)


def join(*parts: str | None, by: str = "") -> Markup:
    """The parts one after another, text among them escaped, `None` left out."""
    return Markup(escape(by).join(escape(part) for part in parts if part is not None))


def tag(element: str, *children: str | None, **attributes: str | int | bool | None) -> Markup:
    """An element; an attribute that is `None` or `False` is left out, and `_` in its name is `-`.

    >>> tag("a", "1 < 2", class_="x", data_n=3)
    '<a class="x" data-n="3">1 &#60; 2</a>'

    Raises:
        ValueError: the name of the element or of an attribute is none, or the attribute is one that runs
            script or loads something.
    """
    out = [f"<{element}"]
    for key, value in attributes.items():
        name = key.rstrip("_").replace("_", "-")
        if not _NAME.fullmatch(name) or name.startswith("on") or name in ("src", "style", "srcset"):
            raise ValueError(f"no attribute {name!r} here: give the browser no script and no address")
        if value is not None and value is not False:
            out.append(f" {name}" if value is True else f' {name}="{escape(str(value))}"')
    if not _NAME.fullmatch(element) or element in ("script", "iframe", "object", "embed", "base", "meta", "link"):
        raise ValueError(f"no element {element!r} here: build the page of text and controls only")
    if element in _VOID:
        return Markup("".join(out) + ">")
    return Markup("".join(out) + ">" + join(*children) + f"</{element}>")
