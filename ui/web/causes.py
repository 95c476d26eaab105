"""Why a document cannot be read, in Dutch: what the processes that read files say in English alone.

Knows nothing of how it is shown. Their reasons cross from one process into another as text, so that
they are known again by their words; `{…}` stands for what differs, and is kept or said in Dutch too.
"""

import re

__all__ = ["in_dutch"]

_CAUSES = {
    "it is empty: give a document with text in it": "het is leeg. Kies een document waar tekst in staat.",
    "there are no words in it: give a document with text in it": "er staan geen woorden in. Kies een document "
    "met tekst.",
    "it is damaged: save or download it again": "het is beschadigd. Bewaar of download het opnieuw.",
    "it is damaged ({a}): save or download it again": "het is beschadigd ({a}). Bewaar of download het opnieuw.",
    "it is damaged: save it again as {a}": "het is beschadigd. Bewaar het opnieuw als {a}.",
    "it is damaged, or no PDF at all: save or download it again": "het is beschadigd, of helemaal geen pdf. Bewaar of "
    "download het opnieuw.",
    "its XML is damaged: save or download it again": "de XML ervan is beschadigd. Bewaar of download het opnieuw.",
    "its XML declares entities, as Word never does: it is not read": "de XML ervan bevat entiteiten, en die maakt Word "
    "nooit. Het wordt niet gelezen.",
    "its XML declares entities, as no word processor does: it is not read": "de XML ervan bevat entiteiten, en die "
    "maakt geen tekstverwerker. Het wordt niet gelezen.",
    "its elements lie more than {a} deep in each other: it is not read": "de elementen ervan liggen meer dan {a} diep "
    "in elkaar. Het wordt niet gelezen.",
    "its parts lie too deep within each other: it is not read": "de delen ervan liggen te diep in elkaar. Het wordt "
    "niet gelezen.",
    "it is protected with a password: save it without one": "het is beveiligd met een wachtwoord. Bewaar het zonder.",
    "it unpacks to far more than a document holds: it is not read": "uitgepakt is het veel groter dan een document kan "
    "zijn. Het wordt niet gelezen.",
    "it holds more text than can be read at once: split it first": "er staat meer tekst in dan in één keer gelezen kan "
    "worden. Splits het eerst.",
    "it holds no text document: save it as .odt": "er zit geen tekstdocument in. Bewaar het als .odt.",
    "it says that it has {a} pages, more than {b}: split it first": "het zegt {a} pagina’s te hebben, meer dan {b}. "
    "Splits het eerst.",
    "no text can be read in it, as in a scan: have the text recognised (OCR) first": "er is geen leesbare tekst in, "
    "zoals bij een scan. Laat de tekst eerst herkennen (OCR).",
    "it is not text: give a UTF-8 text file": "het is geen tekst. Kies een tekstbestand in UTF-8.",
    "it is not UTF-8 (byte {a}): save it as UTF-8 text": "het is geen UTF-8 (byte {a}). Bewaar het als tekst in UTF-8.",
    "it is of no kind that fiche reads": "zulke documenten leest fiche niet.",
    "it has {a} bytes, more than {b}: split it first": "het is {a} bytes groot, meer dan {b}. Splits het eerst.",
    "it is an archive and no document: unpack it first": "het is een archief en geen document. Pak het eerst uit.",
    "it is no {a}, whatever its name says: it is damaged, or rename it to .txt": "het is geen {a}, wat de naam ook "
    "zegt. Het is beschadigd, of noem het .txt.",
    "it is {a}, whatever its name says: rename it to {b}": "het is {a}, wat de naam ook zegt. Noem het {b}.",
    "it is not text, nor any document that fiche reads: give .txt, .md, .pdf, .docx, .odt, .html": "het is geen tekst, "
    "en geen document dat fiche leest. Kies .txt, .md, .pdf, .docx, .odt of .html.",
    "it is a {a}, which fiche does not read: save it as {b}": "het is een {a}, en dat leest fiche niet. Bewaar het als "
    "{b}.",
    "it is a picture: have its text recognised (OCR) first": "het is een afbeelding. Laat de tekst eerst "
    "herkennen (OCR).",
    "it is a program, not a document": "het is een programma, geen document.",
    "it is compressed: unpack it first": "het is ingepakt. Pak het eerst uit.",
    "it takes more than {a} seconds to read: split it, or save it anew": "het lezen duurt langer dan {a} seconden. "
    "Splits het, of bewaar het opnieuw.",
    "it takes more than {a} GB of memory to read, far more than a document should{b}": "het lezen kost meer dan {a} GB "
    "geheugen, veel meer dan een document nodig heeft. Bewaar of download het opnieuw.",
    "it cannot be read ({a}): check its permissions": "het kan niet gelezen worden ({a}). Kijk de rechten na.",
    "a process that reads texts was killed: close other programs, and add again": "een proces dat teksten leest, werd "
    "afgebroken. Sluit andere programma’s en probeer het opnieuw.",
}
_WHAT = {
    "plain text": "platte tekst",
    "a PDF": "een pdf",
    "PDF": "pdf",
    "a Word document": "een Word-document",
    "Word document": "Word-document",
    "an OpenDocument text": "een OpenDocument-tekst",
    "OpenDocument text": "OpenDocument-tekst",
    "a web page": "een webpagina",
    "web page": "webpagina",
    "rich text file (RTF)": "RTF-bestand",
    "spreadsheet": "rekenblad",
    "presentation": "presentatie",
    "file of an old Office": "bestand van een oude Office",
}


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w)\\\}", r"(?P<\1>.*)", re.escape(english)))


_PATTERNS = [(_pattern(english), dutch) for english, dutch in _CAUSES.items()]


def in_dutch(cause: str) -> str:
    """The cause in Dutch, or nothing where it is not known.

    >>> in_dutch("it is a spreadsheet, which fiche does not read: save it as .pdf or .html")
    'het is een rekenblad, en dat leest fiche niet. Bewaar het als .pdf of .html.'
    """
    for pattern, dutch in _PATTERNS:
        if met := pattern.fullmatch(cause):
            gaps = {gap: _WHAT.get(said, said.replace(" or ", " of ")) for gap, said in met.groupdict().items()}
            return dutch.format(**gaps)
    return ""
