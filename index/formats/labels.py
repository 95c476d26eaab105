"""The labels of numbered lists and headings, as word processors and browsers draw them.

Knows nothing of lists: it turns a way of numbering and a number into `3.`, `c)` or `iii`.
"""

__all__ = ["label_of", "numeral"]

_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def numeral(way: str, number: int) -> str:
    """A number, written in one of the ways that WordprocessingML names.

    >>> [numeral(way, 4) for way in ("decimal", "lowerLetter", "upperRoman")]
    ['4', 'd', 'IV']
    """
    if way in ("lowerLetter", "upperLetter") and number > 0:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    elif way in ("lowerRoman", "upperRoman") and 0 < number < 400:
        text, left = "", number
        for value, sign in _ROMAN:
            text += sign * (left // value)
            left %= value
    else:
        return str(number)
    return text.upper() if way.startswith("upper") else text


def label_of(way: str, number: int) -> str:
    """The label of a list item in a browser; letters and Roman numbers as Dutch writes them, with a bracket.

    >>> label_of("decimal", 2), label_of("lowerLetter", 2)
    ('2.', 'b)')
    """
    return f"{numeral(way, number)}." if way == "decimal" else f"{numeral(way, number)})"
