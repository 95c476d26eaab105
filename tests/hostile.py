"""Files that were made to hurt a parser, or are not what they seem; each with the reason that it must get."""

from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

WORD_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
WORD_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="word/document.xml"/></Relationships>'
)
NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ODT_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def word(body: str, head: str = "", **more: str) -> bytes:
    xml = f'<?xml version="1.0"?>{head}<w:document {NAMES}><w:body>{body}</w:body></w:document>'
    return packed({"[Content_Types].xml": WORD_TYPES, "_rels/.rels": WORD_RELS, "word/document.xml": xml, **more})


def odt(body: str, head: str = "", **more: str) -> bytes:
    xml = (
        f'<?xml version="1.0"?>{head}<office:document-content {ODT_NAMES}><office:body><office:text>{body}'
        "</office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": xml, **more})


def packed(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()


def pdf(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places.get(number, 0)
    return bytes(out + b"trailer\n<< /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def page(content: bytes, extra: bytes = b"") -> bytes:
    stream = zlib.compress(content, 9)
    return pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << "
            b"/Font << /F 5 0 R >> >> " + extra + b">>",
            4: b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(stream), stream),
            5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        }
    )


WORDS = b"BT /F 12 Tf 72 700 Td (Het kabinet is positief over dit voorstel.) Tj ET"


def flate_bomb() -> bytes:
    """A stream of a few megabytes that unpacks to gigabytes."""
    squeezer = zlib.compressobj(9)
    stream = b"".join(squeezer.compress(b" " * 16_000_000) for _ in range(200)) + squeezer.flush()
    return pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
            4: b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(stream), stream),
        }
    )


def tree_loop() -> bytes:
    return pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>",
        }
    )


def prev_loop() -> bytes:
    made = page(b"0 0 m 10 10 l S")
    start = made.rindex(b"startxref") + 10
    place = made[start : made.index(b"\n", start)]
    return made.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev " + place)


def nested_arrays() -> bytes:
    return page(b"").replace(
        b"/Type /Page /Parent", b"/Type /Page /Deep " + b"[" * 20_000 + b"]" * 20_000 + b" /Parent"
    )


def many_pages() -> bytes:
    return page(WORDS).replace(b"/Count 1", b"/Count 999999999")


def locked() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("geheim", ownerPassword="baas", strength=128))
    canvas.drawString(72, 700, "Het kabinet is positief.")
    canvas.save()
    return buffer.getvalue()


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


PARAGRAPH = "<w:p><w:r><w:t>Het kabinet is positief.</w:t></w:r></w:p>"
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
MANIFEST = '<manifest><file-entry><encryption-data checksum="x"/></file-entry></manifest>'

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "leeg.txt": (lambda: b"", "is empty"),
    "leeg.pdf": (lambda: b"", "is empty"),
    "zonder-woorden.txt": (lambda: b" \n--- ***\n\t\n", "is empty|no words"),
    "zonder-woorden.md": (lambda: b"---\n\n***\n", "no words"),
    "ruis.pdf": (lambda: noise(50_000), "not text|damaged"),
    "ruis.docx": (lambda: noise(50_000), "not text|damaged"),
    "nul.txt": (lambda: b"Het kabinet\0is positief.", "not text"),
    "latijn.txt": (lambda: "Financiële gevolgen".encode("latin-1"), "not UTF-8"),
    "zestig-megabyte.txt": (lambda: b"Het kabinet is positief. " * 2_400_000, "60,000,000 bytes, more than"),
    "pagina.pdf": (
        lambda: b"<!DOCTYPE html><html><body><p>Woorden</p></body></html>",
        "a web page.*rename it to .html",
    ),
    "tekst.pdf": (lambda: b"Gewoon wat woorden.", "no PDF, whatever its name says"),
    "pdf.docx": (lambda: page(WORDS), "a PDF, whatever its name says"),
    "word.odt": (lambda: word(PARAGRAPH), "a Word document, whatever its name says"),
    "plaatje.pdf": (lambda: b"\x89PNG\r\n\x1a\n" + noise(500), "a picture"),
    "half.pdf": (lambda: page(WORDS)[:180], "damaged|no text"),
    "op-slot.pdf": (locked, "password"),
    "scan.pdf": (lambda: page(b"0 0 m 100 100 l S"), "no text can be read.*OCR"),
    "flate-bom.pdf": (flate_bomb, "memory|no text|seconds"),
    "kringboom.pdf": (tree_loop, "no text|damaged"),
    "kringverwijzing.pdf": (prev_loop, "no text|damaged"),
    "geneste-lijsten.pdf": (nested_arrays, "no text|damaged"),
    "geen-zip.docx": (lambda: b"Dit is gewone tekst.", "no Word document"),
    "zip-bom.docx": (lambda: word(PARAGRAPH, **{"word/media.xml": " " * 400_000_000}), "unpacks to far more"),
    "drie-miljoen.docx": (lambda: word("<w:p/>" * 3_000_000), "unpacks to far more"),
    "lachen.docx": (lambda: word("<w:p><w:r><w:t>&j;</w:t></w:r></w:p>", LAUGHS), "declares entities"),
    "buiten.docx": (lambda: word("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", OUTSIDE), "declares entities"),
    "diep.docx": (lambda: word("<w:sdt>" * 50_000 + "</w:sdt>" * 50_000), "damaged"),
    "half.docx": (lambda: word(PARAGRAPH * 200)[:600], "damaged"),
    "zonder-tekst.docx": (lambda: packed({"word/document.xml": "<a/>"}), "damaged"),
    "rekenblad.docx": (lambda: packed({"xl/workbook.xml": "<a/>"}), "a spreadsheet"),
    "archief.docx": (lambda: packed({"foto.jpg": "x"}), "an archive"),
    "vol-archief.docx": (lambda: packed({"word/document.xml": "", **{f"{i}": "" for i in range(12_000)}}), "far more"),
    "oud.doc": (lambda: OLD_OFFICE, "old Office"),
    "op-slot.docx": (lambda: OLD_OFFICE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "op-slot.odt": (lambda: odt("<text:p>x</text:p>", **{"META-INF/manifest.xml": MANIFEST}), "password"),
    "lachen.odt": (lambda: odt("<text:p>&j;</text:p>", LAUGHS), "entities|damaged"),
    "buiten.odt": (lambda: odt("<text:p>&a;</text:p>", OUTSIDE), "entities|damaged"),
    "bom.odt": (lambda: odt("<text:p/>" * 3_000_000), "unpacks to far more"),
    "diep.html": (lambda: b"<html><body>" + b"<div>" * 200_000 + b"x" + b"</div>" * 200_000, "deep"),
    "onzichtbaar.html": (
        lambda: (
            b"<html><head><title>x</title></head><body><script>var woord = 1</script><p hidden>Woord</p>"
            b"<div style='display:none'>Woord</div><nav>Menu</nav></body></html>"
        ),
        "no words",
    ),
    "rtf.docx": (lambda: rb"{\rtf1\ansi Het kabinet}", "RTF"),
}
"""A file's name, what makes it, and what its reason must say."""


SLOW: dict[str, Callable[[], bytes]] = {
    "miljard-paginas.pdf": many_pages,
    "breed.html": lambda: b"<html><body>" + b"<p><b>Woord</b> en woord.</p>" * 850_000 + b"</body></html>",
    "getallen.txt": lambda: "\n".join(str(i % 5000) for i in range(300_000)).encode(),
    "haken.md": lambda: b"[" * 2_000_000 + b" woord",
    "citaten.md": lambda: b">" * 300_000 + b" woord",
    "cellen.html": lambda: b"<html><body>" + b"<table><tr><td>" * 1_900 + b"woord",
    "regel.txt": lambda: b"woord " * 8_000_000,
    "punten.txt": lambda: b"Nr. 1. " * 2_000_000,
}
"""Files that are no documents but may be read; none may take longer or more than the limits."""


def make(folder: Path, name: str) -> Path:
    """Write the file of that name into a folder."""
    maker = HOSTILE[name][0] if name in HOSTILE else SLOW[name]
    path = folder / name
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(maker())
    return path
