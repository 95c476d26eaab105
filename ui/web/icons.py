"""Small drawings for buttons and captions, as inline SVG; knows nothing of what they stand for.

No text of a document or a question comes near them, and none of them is fetched.
"""

from ui.web.markup import Markup

__all__ = ["icon"]

_PATHS = {
    "thumb-up": "M7 11v9H4v-9zM7 11l4-7c1.4 0 2.3 1 2 2.400L12.300 10H18a2 2 0 0 1 2 2.300l-1 6a2 2 0 0 1-2 1.700H7",
    "thumb-down": "M7 13V4H4v9zM7 13l4 7c1.400 0 2.300-1 2-2.400L12.300 14H18a2 2 0 0 0 2-2.300l-1-6A2 2 0 0 0 17 4H7",
    "copy": "M9 9h10v11H9zM15 9V4H5v11h4",
    "quoted": "M6 17c2-1 3-3 3-5H5V7h5v5c0 3-1 5-3 6M15 17c2-1 3-3 3-5h-4V7h5v5c0 3-1 5-3 6",
    "translated": "M4 6h9M8.500 4v2M11 6c-1 4-4 7-7 8M6 9c1 2 3 4 5.500 5M12 20l4-10 4 10M13.500 17h5",
    "supported": "M5 12l4.500 4.500L19 7",
    "unsupported": "M12 4l9 16H3zM12 10v4M12 17v.500",
    "list": "M4 7h16M4 12h16M4 17h10",
    "plus": "M12 5v14M5 12h14",
    "send": "M5 12h14M13 6l6 6-6 6",
    "theme": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "close": "M6 6l12 12M18 6L6 18",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
}
_SAME = {"quoted_dutch": "quoted", "machine": "translated"}


def icon(name: str) -> Markup:
    """The drawing of that name, hidden from screen readers."""
    path = _PATHS[_SAME.get(name, name)]
    return Markup(
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{path}"/></svg>'
    )
