"""The same document in every format is the same document; what a format has of structure is kept."""

import json
from pathlib import Path

import pytest

from index.formats.reading import read_file
from index.intake import read_safely
from index.reader import read_document
from index.records import Document
from tests import hostile
from tests.documents import TABLE, WRITERS, write_pdf

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module", params=["fictief-a", "fictief-b", "fictief-c"])
def original(request: pytest.FixtureRequest) -> Document:
    return read_document(DATA / f"{request.param}.txt")


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_fiche_is_the_same_in_every_format(original: Document, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"{original.id}.{suffix}"
    WRITERS[suffix](original, path)
    found = read_file(path, original.id)
    assert found.text == original.text
    assert found.sections == original.sections
    assert found.footnotes == original.footnotes
    assert found.passages == original.passages
    assert found.title == original.title
    assert {**found.metadata, **original.metadata} == found.metadata
    if suffix in ("pdf", "docx", "odt"):
        assert (found.page_starts, found.page_numbers) == (original.page_starts, original.page_numbers)


def test_the_sections_are_those_expected(original: Document, tmp_path: Path) -> None:
    expected = json.loads((DATA / f"{original.id}.expected.json").read_text(encoding="utf-8"))["outline"]
    for suffix, write in WRITERS.items():
        write(original, tmp_path / f"x.{suffix}")
        found = read_file(tmp_path / f"x.{suffix}", "x")
        assert [[section.id, section.title] for section in found.sections] == expected, suffix


def test_a_pdf_without_bookmarks(original: Document, tmp_path: Path) -> None:
    write_pdf(original, tmp_path / "x.pdf", bookmarks=False)
    found = read_file(tmp_path / "x.pdf", original.id)
    assert found.text == original.text
    assert found.sections == original.sections


def sections(document: Document) -> list[tuple[str, str]]:
    return [(section.chapter, section.title) for section in document.sections]


def word(path: Path, body: str, **parts: str) -> Document:
    path.write_bytes(hostile.word(body, **parts))
    return read_file(path, "x")


def test_word_headings_without_numbers(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.add_paragraph("Waterschap Vallei", style="Title")
    for level, heading in ((1, "Achtergrond"), (2, "Aanleiding"), (1, "Gevolgen"), (2, "Aanleiding")):
        made.add_heading(heading, level)
        made.add_paragraph(f"Onder {heading.lower()} staat deze zin.")
    made.add_paragraph("Eerst meten.", style="List Number")
    made.add_paragraph("Dan weten.", style="List Number")
    table = made.add_table(rows=0, cols=3)
    for row in TABLE:
        for cell, words in zip(table.add_row().cells, row, strict=True):
            cell.text = words
    made.save(str(tmp_path / "x.docx"))
    found = read_file(tmp_path / "x.docx", "x")
    assert found.title == "Waterschap Vallei"
    assert sections(found) == [
        ("Achtergrond", "Achtergrond"),
        ("Achtergrond", "Aanleiding"),
        ("Gevolgen", "Gevolgen"),
        ("Gevolgen", "Aanleiding"),
    ]
    assert len({section.id for section in found.sections}) == 4
    assert found.section_number("Achtergrond") == ""
    assert "1. Eerst meten.\n\n2. Dan weten." in found.text
    assert "Land: Nederland; Bijdrage: 4 miljoen euro; Rol: lid" in found.text
    last = next(
        p for p in found.passages if "Onder aanleiding" in found.text[p.start : p.end] and p.section != "Aanleiding"
    )
    assert last.heading == "Gevolgen > Aanleiding"


LEVELS = "".join(
    f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{way}"/><w:lvlText w:val="{text}"/></w:lvl>'
    for i, (way, text) in enumerate((("decimal", "%1."), ("lowerLetter", "%2)")))
)
NUMBERING = (
    f'<w:numbering {hostile.NAMES}><w:abstractNum w:abstractNumId="0">{LEVELS}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
STYLES = (
    f'<w:styles {hostile.NAMES}><w:style w:type="paragraph" w:styleId="Kop1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Eigen"><w:name w:val="Eigen kop"/><w:basedOn w:val="Kop1"/></w:style>'
    "</w:styles>"
)
PARTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="a" Type="{PARTS}/numbering" Target="numbering.xml"/>'
    f'<Relationship Id="b" Type="{PARTS}/styles" Target="styles.xml"/></Relationships>'
)
OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
TYPES = hostile.WORD_TYPES.replace(
    "</Types>",
    f'<Override PartName="/word/numbering.xml" ContentType="{OFFICE}.numbering+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{OFFICE}.styles+xml"/></Types>',
)


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def counted(level: int) -> str:
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'


def test_word_counts_what_it_does_not_write(tmp_path: Path) -> None:
    """In many fiches `1.` and `a)` are not in the text: Word draws them."""
    body = "".join(
        paragraph(text, ('<w:pStyle w:val="Eigen"/>' if level == 0 else "") + counted(level))
        for level, text in ((0, "Algemene gegevens"), (1, "Titel voorstel"), (0, "Essentie voorstel"), (1, "Inhoud"))
    ).replace("</w:p>", "</w:p>", 1)
    parts = {"word/numbering.xml": NUMBERING, "word/styles.xml": STYLES, "word/_rels/document.xml.rels": RELS}
    found = word(tmp_path / "x.docx", body, **{"[Content_Types].xml": TYPES, **parts})
    assert found.text.split("\n\n") == [
        "1. Algemene gegevens",
        "a) Titel voorstel",
        "2. Essentie voorstel",
        "a) Inhoud",
    ]
    assert [section.id for section in found.sections][:1] == ["1"]


def test_word_reads_what_a_reader_sees(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>Het kabinet </w:t></w:r><w:del><w:r><w:delText>aarzelt</w:delText></w:r></w:del><w:ins><w:r>"
        "<w:t>is posi</w:t><w:softHyphen/><w:t>tief</w:t></w:r></w:ins><w:r><w:instrText> PAGE </w:instrText>"
        "<w:t>.</w:t></w:r></w:p>"
    )
    assert word(tmp_path / "x.docx", body).text == "Het kabinet is positief."


def test_a_form_in_a_table(tmp_path: Path) -> None:
    """The general data of a fiche stand in a table of labels and values as often as in paragraphs."""
    rows = (("a) Titel voorstel", "Verordening zwemwater"), ("b) Datum ontvangst", "3 mei 2025"))
    cells = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows)
    found = word(tmp_path / "x.docx", paragraph("1. Algemene gegevens") + f"<w:tbl>{cells}</w:tbl>")
    assert found.metadata == {"title": "Verordening zwemwater", "date": "3 mei 2025"}
    assert str(found.date) == "2025-05-03"
    assert [section.id for section in found.sections] == ["1", "1a", "1b"]


def test_odt_counts_its_headings(tmp_path: Path) -> None:
    styles = (
        '<office:document-styles xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"><office:styles><text:outline-style '
        'style:name="Outline"><text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
        "</office:styles></office:document-styles>"
    )
    headings = ((1, "Inleiding"), (2, "Doel"), (1, "Slot"))
    body = "".join(
        f'<text:h text:outline-level="{level}">{name}</text:h><text:p>Tekst.</text:p>' for level, name in headings
    )
    (tmp_path / "x.odt").write_bytes(hostile.odt(body, **{"styles.xml": styles}))
    found = read_file(tmp_path / "x.odt", "x")
    assert [(section.id, section.title) for section in found.sections] == [
        ("1", "Inleiding"),
        ("1.1", "Doel"),
        ("2", "Slot"),
    ]
    assert "1.1 Doel" in found.text


PAGE = """<html><head><title>Brief | Rijksoverheid.nl</title><meta name="DCTERMS.issued" content="2024-03-01T10:00">
<meta name="OVERHEID.authority" content="Ministerie van Financiën"></head><body><header>Zoeken</header>
<div><h2>Aanleiding</h2><p>De   Kamer vroeg
hierom.<sup><a href="#n1">1</a></sup></p><table><caption>Wie betaalt</caption>
<thead><tr><th>Land</th><th>Bedrag</th></tr>
</thead><tr><td>Ierland</td><td>1 miljoen</td></tr></table><ol type="a"><li>eerst</li><li>dan</li></ol>
<h2>Vervolg</h2><p>In&nbsp;mei komt er meer.</p><p id="n1">1 Motie-De Vries.</p></div>
<footer>Over ons</footer></body></html>"""


def test_a_web_page(tmp_path: Path) -> None:
    (tmp_path / "brief.html").write_text(PAGE, encoding="utf-8")
    found = read_file(tmp_path / "brief.html", "brief")
    assert found.text.split("\n\n") == [
        "Aanleiding",
        "De Kamer vroeg hierom.",
        "Wie betaalt",
        "Land: Ierland; Bedrag: 1 miljoen",
        "a) eerst",
        "b) dan",
        "Vervolg",
        "In mei komt er meer.",
        "1 Motie-De Vries.",
    ]
    assert [note.number for note in found.footnotes] == [1]
    assert found.text[: found.footnotes[0].anchor].endswith("hierom.")
    assert (str(found.date), found.ministry) == ("2024-03-01", "Ministerie van Financiën")
    assert found.title == "Brief | Rijksoverheid.nl"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_web_page_in_another_encoding(encoding: str, tmp_path: Path) -> None:
    text = "<html><head><meta charset='utf-8'></head><body><p>Financiële coördinatie – vóór mei.</p></body></html>"
    (tmp_path / "x.html").write_bytes(text.encode(encoding))
    assert read_file(tmp_path / "x.html", "x").text == "Financiële coördinatie – vóór mei."


def test_markdown(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text(
        "---\ntitle: Nota zwemwater\ndate: 2024-05-06\n---\n# Nota\n\n## Doel\n\nSchoon water.[^1]\n\n"
        "| Plas | Cijfer |\n|---|---|\n| Rijkerswoerd | 7 |\n\n[^1]: Richtlijn 2006/7/EG.\n",
        encoding="utf-8",
    )
    found = read_file(tmp_path / "x.md", "x")
    assert found.title == "Nota"
    assert sections(found) == [("Doel", "Doel")]
    assert "Plas: Rijkerswoerd; Cijfer: 7" in found.text
    assert found.text.endswith("1 Richtlijn 2006/7/EG.")
    assert str(found.date) == "2024-05-06"


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A report in two columns: a title, headings in larger type, indented paragraphs, running lines, a table."""
    from reportlab.lib import colors
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Table

    path = tmp_path_factory.mktemp("pdf") / "verslag.pdf"
    text = ParagraphStyle("text", fontSize=10, leading=12, firstLineIndent=12, alignment=4)
    head = ParagraphStyle("head", fontSize=13, leading=18, fontName="Helvetica-Bold", spaceBefore=8)
    title = ParagraphStyle("title", fontSize=20, leading=26)

    def furniture(canvas, template) -> None:  # type: ignore[no-untyped-def]
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 810, "Jaarverslag waterkwaliteit 2024")
        canvas.drawCentredString(297, 30, f"- {template.page} -")

    frames = [Frame(50, 60, 235, 720, id="left"), Frame(310, 60, 235, 720, id="right")]
    made = BaseDocTemplate(str(path), pageTemplates=[PageTemplate(frames=frames, onPage=furniture)])
    story = [Paragraph("Waterkwaliteit in Gelderland", title)]
    for name in ("Metingen", "Uitkomsten", "Maatregelen"):
        story.append(Paragraph(name, head))
        for i in range(7):
            more = " ".join(f"In plas {name[0]}{i}{j} bleek het water {j + i} dagen schoon." for j in range(10))
            story.append(Paragraph(f"Zin {i} over {name.lower()} begint hier. {more}", text))
    table = Table(TABLE, colWidths=78)
    table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    made.build([*story, table])
    return read_file(path, "verslag")


def test_a_pdf_in_columns(columns: Document) -> None:
    assert columns.title == "Waterkwaliteit in Gelderland"
    assert [section.title for section in columns.sections] == ["Metingen", "Uitkomsten", "Maatregelen"]
    assert columns.pages > 1
    assert "Jaarverslag" not in columns.text
    assert "- 1 -" not in columns.text
    paragraphs = [p for p in columns.text.split("\n\n") if p.startswith("Zin ")]
    assert len(paragraphs) == 21
    assert all(p.endswith("dagen schoon.") and p.count("bleek het water") == 10 for p in paragraphs)
    assert "Land: Nederland; Bijdrage: 4 miljoen euro; Rol: lid" in columns.text
    passage = next(p for p in columns.passages if "Zin 3 over maatregelen" in columns.text[p.start : p.end])
    assert passage.section == "Maatregelen"


def test_a_table_is_sliced_from_the_text(columns: Document) -> None:
    for passage in columns.passages:
        assert columns.text[passage.start : passage.end].strip()
        assert "\n\n\n" not in columns.text[passage.start : passage.end]


@pytest.mark.model
def test_the_same_questions_get_the_same_answers(original: Document, tmp_path: Path, home: Path) -> None:
    from index.build import extend_index
    from index.encoder import load_encoder
    from index.settings import load_settings
    from rag.engine import open_engine

    answers = {}
    encoder = load_encoder(load_settings(home=home))
    for suffix in ("txt", *WRITERS):
        path = tmp_path / f"fiche.{suffix}"
        path.write_bytes((DATA / f"{original.id}.txt").read_bytes()) if suffix == "txt" else WRITERS[suffix](
            original, path
        )
        settings = load_settings(home=tmp_path / suffix)
        extend_index(settings, encoder, [read_safely(path)])
        engine = open_engine(settings)
        answers[suffix] = [
            [(c.quote, c.section, c.page if suffix not in ("html", "md") else None) for c in engine.ask(q).citations]
            for q in (
                "Welk ministerie is eerstverantwoordelijk?",
                "Vanaf wanneer moeten fabrikanten grondstoffen hergebruiken?",
                "What is the legal basis?",
                "Hoe hoog is de heffing voor wie niet meewerkt?",
                "Moet de Wet milieubeheer worden aangepast?",
            )
        ]
    assert all(answers["txt"])
    for suffix in ("pdf", "docx", "odt"):
        assert answers[suffix] == answers["txt"], suffix
    without_pages = [[(quote, section, None) for quote, section, _ in found] for found in answers["txt"]]
    assert answers["html"] == answers["md"] == without_pages
