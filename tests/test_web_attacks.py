"""Thirteen families of markup and six of remote loading do nothing, wherever a page shows text.

In a question, in a document's text, in its title, fields and headings, in its footnotes, and in the
name of its file: no script runs, nothing is fetched, no form or overlay appears, and what can be seen
of the text is shown as it is.
"""

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from index.reader import read_text
from index.records import Document
from tests.browser import NEEDS_CHROMIUM, Open, ask, opening
from tests.conftest import WordHashEncoder
from tests.web import Site, markup, remote, running
from ui.web.markup import visible

ELEMENTS = {
    *("article", "p", "span", "div", "h3", "h4", "ol", "ul", "li", "blockquote", "strong", "sup", "q", "code"),
    *("button", "svg", "path", "option"),
}
"""All that may stand where text of questions and documents is shown."""
INSIDE = "#turns *, #sources *, #reader *, #outline *, #documents *, #which *, #status *, #kept :not(time)"
MARKUP = {
    *("script", "img onerror", "svg onload", "nested", "srcdoc", "links", "form", "overlay", "details", "mermaid"),
    *("katex", "direction", "inline code"),
}
REMOTE = {"markdown", "img", "style", "attribute", "audio", "video"}
pytestmark = NEEDS_CHROMIUM


def attacks(beacon: str) -> dict[str, str]:
    """All families by name, each on one line, and without a figure after a point: that is read as a footnote's."""
    named = beacon.replace("127.0.0.1", "localhost")
    return {name: " ".join(piece.split()) for name, piece in {**markup(named), **remote(named)}.items()}


def documents(beacon: str) -> list[Document]:
    """A fiche for each family, with the attack as title, field, heading, sentence and footnote."""
    return [read_text(_fiche(name, piece), name.replace(" ", "-")) for name, piece in attacks(beacon).items()]


def _fiche(name: str, piece: str) -> str:
    return "\n\n".join(
        [
            f"Fiche: {name} {piece}",
            "1. Algemene gegevens",
            f"a) Titel {piece}",
            f"Titelveld {piece}",
            "b) Eerstverantwoordelijk ministerie",
            f"Ministerie van {piece}",
            f"2. Essentie {piece}",
            f"De proef {unique(name)} staat hier in een zin met {piece} en een verwijzing.1 Daarna volgt niets meer.",
            f"1 Voetnoot met {piece} erin.",
        ]
    )


def unique(name: str) -> str:
    """A word that one family alone has."""
    return f"zin{sorted(MARKUP | REMOTE).index(name)}"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("attacked"), WordHashEncoder(), documents) as site:
        yield site


@pytest.fixture
def opened(browser: Browser, attacked: Site) -> Iterator[Open]:
    with opening(browser, attacked.url) as found:
        yield found


def unharmed(page: Page, site: Site, name: str) -> None:
    """Nothing ran, was fetched, covers the page or asks for a password."""
    page.wait_for_timeout(150)
    assert page.evaluate("window.hit") is None, name
    assert site.fetched == [], name
    found = page.evaluate(
        """inside => [...document.querySelectorAll(inside)].map(e => [e.tagName.toLowerCase(), e.getAttributeNames(),
        getComputedStyle(e).position])""",
        INSIDE,
    )
    assert {tag for tag, _, _ in found} <= ELEMENTS, name
    assert not [position for _, _, position in found if position == "fixed"], name
    names = {attribute for _, attributes, _ in found for attribute in attributes}
    assert not [n for n in names if n.startswith("on") or n in ("style", "src", "srcset", "href", "action")], name


def seen(page: Page, place: str) -> str:
    """The text of the last element of that kind, spaces folded."""
    return " ".join((page.locator(place).last.text_content() or "").split())


def test_every_family_of_the_list_is_tried() -> None:
    assert set(markup("x")) == MARKUP
    assert len(MARKUP) == 13
    assert set(remote("x")) == REMOTE
    assert len(REMOTE) == 6


def test_in_a_question_and_in_the_conversations_that_are_kept(opened: Open, attacked: Site) -> None:
    page = opened()
    for name, piece in attacks(attacked.beacon).items():
        ask(page, f"{piece} ministerie?")
        assert visible(piece) in seen(page, ".question") or piece in seen(page, ".question"), name
        unharmed(page, attacked, name)
    page.reload()
    expect(page.locator(".turn")).to_have_count(19)
    page.click("[data-do=conversations]")
    unharmed(page, attacked, "kept")


def test_in_the_text_title_fields_headings_and_footnotes_of_a_document(opened: Open, attacked: Site) -> None:
    page = opened()
    for name, piece in attacks(attacked.beacon).items():
        page.select_option("#which", name.replace(" ", "-"))
        expect(page.locator("#reader .doctitle")).to_contain_text(name)
        text = seen(page, "#reader .text")
        assert text.count(visible(piece)) >= 5, name
        assert visible(piece) in seen(page, "#reader .field"), name
        assert visible(piece) in seen(page, "#reader .footnote"), name
        assert visible(piece) in (page.locator("#outline").text_content() or ""), name
        unharmed(page, attacked, name)


def test_in_what_is_cited_and_in_what_came_nearest(opened: Open, attacked: Site) -> None:
    page = opened()
    cited = set()
    for name, piece in attacks(attacked.beacon).items():
        ask(page, f"Waar staat de proef {unique(name)} hier in een zin?")
        unharmed(page, attacked, name)
        if visible(piece) in (page.locator("#sources").text_content() or ""):
            cited.add(name)
        page.locator("#sources [data-do=cite]").first.click()
        expect(page.locator("#reader .cited")).not_to_have_count(0)
        unharmed(page, attacked, name)
    assert cited == MARKUP | REMOTE


def test_in_the_list_of_documents_and_in_the_name_of_a_file(opened: Open, attacked: Site) -> None:
    page = opened()
    page.click("#tab-documents")
    expect(page.locator("#documents .row")).to_have_count(21)
    listed = " ".join((page.locator("#documents").text_content() or "").split())
    unreadable = base64.b64encode(b"\xff\xfe").decode()
    for name, piece in attacks(attacked.beacon).items():
        assert visible(piece) in listed, name
        page.evaluate("data => fiche.call('add_document', data)", {"name": piece, "content": unreadable})
        expect(page.locator("#status .nl")).to_contain_text("Dit kan niet: ")
        assert "\u202e" not in seen(page, "#status")
        unharmed(page, attacked, name)
