"""The chat as a person uses it, in a real browser without a screen."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.web import Site, markup, remote

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
MINISTRY = "Welk ministerie is eerstverantwoordelijk?"
OBSERVERS = "How many member states take part as observers"
ZOO = "Wat kost een kaartje voor de dierentuin in Artis?"
ELEMENTS = {
    *("article", "p", "span", "div", "h3", "h4", "ol", "ul", "li", "blockquote", "strong", "sup", "q", "code"),
    *("button", "svg", "path"),
}
"""All that may stand where text of questions and documents is shown."""
Open = Callable[..., Page]
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Open]:
    """Opens the chat in a browser of its own; fails where anything is fetched from elsewhere, or an error is logged."""
    contexts, wrong = [], []

    def watch(route: Route) -> None:
        if not route.request.url.startswith((site.url, "data:", "blob:")):
            wrong.append(route.request.url)
        route.continue_()

    def opened(locale: str = "nl-NL", width: int = 1400, dark: bool = False) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.route("**/*", watch)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(site.url)
        page.wait_for_selector(".fi.ready")
        expect(page.locator("#reader .text")).to_be_attached(timeout=20_000)
        return page

    expect.set_options(timeout=20_000)
    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def ask(page: Page, question: str) -> None:
    before = page.locator(".reply").count()
    page.fill("#question", question)
    page.keyboard.press("Enter")
    expect(page.locator(".reply")).to_have_count(before + 1)


def test_a_dutch_question_is_quoted_and_its_sentence_stands_marked_in_the_document(open_page: Open) -> None:
    page = open_page()
    ask(page, MINISTRY)
    sentence = page.locator(".sentence.quoted")
    expect(sentence).to_contain_text("Ministerie van Economische Zaken en Klimaat", use_inner_text=True)
    expect(sentence.locator(".kind")).to_contain_text("Letterlijk geciteerd", use_inner_text=True)
    expect(page.locator("#sources .card")).to_contain_text(
        "pagina 1 · 1g Eerstverantwoordelijk ministerie", use_inner_text=True
    )
    marker = page.locator(".cite").first
    assert marker.get_attribute("aria-label") == "Bron 1: pagina 1"
    marker.focus()
    page.keyboard.press("Enter")
    cited = page.locator("#reader .cited")
    expect(cited).to_have_text("Ministerie van Economische Zaken en Klimaat", use_inner_text=True)
    expect(cited).to_be_focused()
    expect(cited).to_be_in_viewport()
    expect(page.locator("#reader .around")).to_have_count(1)
    expect(page.locator(".card.chosen")).to_have_count(1)


def test_an_english_question_is_translated_with_the_dutch_beside_it(open_page: Open) -> None:
    page = open_page("en-GB")
    expect(page.locator("h2", has_text="Conversation").first).to_be_visible()
    ask(page, OBSERVERS)
    expect(page.locator(".sentence.translated .kind").first).to_have_text("Translated", use_inner_text=True)
    expect(page.locator(".sentence.translated").first).to_contain_text(
        "7 Member States take part as observers", use_inner_text=True
    )
    card = page.locator("#sources .card").first
    expect(card.locator("blockquote[lang=nl]")).to_contain_text(
        "7 lidstaten nemen als waarnemend lid deel", use_inner_text=True
    )
    expect(card.locator("blockquote[lang=en]")).to_contain_text("observers", use_inner_text=True)
    page.click(".cite >> nth=0")
    expect(page.locator("#reader .cited")).to_contain_text("Frankrijk host de wettelijke zetel", use_inner_text=True)


def test_a_refusal_shows_what_came_nearest_and_why_it_was_not_enough(open_page: Open) -> None:
    page = open_page()
    ask(page, ZOO)
    expect(page.locator(".sentences")).to_contain_text("staat niet in het document", use_inner_text=True)
    expect(page.locator(".sentence")).to_have_count(0)
    expect(page.locator("#sources .why")).to_contain_text("Het document noemt “Artis” nergens.", use_inner_text=True)
    expect(page.locator("#sources .card.near")).not_to_have_count(0)
    expect(page.locator("#sources .rank").first).to_have_text("Kwam het dichtst in de buurt", use_inner_text=True)


def test_a_follow_up_uses_the_conversation_and_shows_what_it_was_understood_as(open_page: Open) -> None:
    page = open_page()
    ask(page, "Wat is het doel van de ALT-EDIC?")
    ask(page, "En hoeveel lidstaten nemen als waarnemend lid deel?")
    expect(page.locator(".understood")).to_contain_text("deel (ALT-EDIC)?", use_inner_text=True)
    page.click("[data-do=new]")
    ask(page, "En hoeveel lidstaten nemen als waarnemend lid deel?")
    expect(page.locator(".understood")).to_have_count(0)


def test_the_language_follows_the_browser_and_the_switch_changes_it_at_once(open_page: Open) -> None:
    page = open_page()
    ask(page, MINISTRY)
    expect(page.locator("#tab-documents")).to_have_text("Documenten", use_inner_text=True)
    page.click("[data-language=en]")
    expect(page.locator(".kind:visible").first).to_have_text("Quoted word for word", use_inner_text=True)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator(".cite").first.get_attribute("aria-label") == "Source 1: page 1"
    assert page.get_attribute("#question", "placeholder") == "For example: what does the cabinet think of this?"
    page.reload()
    page.wait_for_selector(".fi.ready")
    expect(page.locator("#tab-documents")).to_have_text("Documents", use_inner_text=True)


def test_the_document_is_walked_through_by_outline_and_footnotes(open_page: Open) -> None:
    page = open_page()
    page.click("#outline-box summary")
    page.click("#outline button:has-text('4b')")
    heading = page.locator("#reader h4:has-text('b) Subsidiariteit')")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    mark = page.locator("#reader sup .note").nth(4)
    mark.focus()
    page.keyboard.press("Enter")
    note = page.locator("#note-5")
    expect(note).to_be_focused()
    expect(note).to_contain_text("Dit zijn AI-modellen", use_inner_text=True)
    note.locator("button").click()
    expect(page.locator("#mark-5")).to_be_focused()


def test_conversations_are_kept_found_exported_and_deleted(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    ask(page, MINISTRY)
    ask(page, ZOO)
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    page.click("[data-do=new]")
    expect(page.locator(".turn")).to_have_count(0)
    page.click("[data-do=conversations]")
    page.fill("#find", "Economische Zaken")
    expect(page.locator("#kept .title")).to_have_count(1)
    with page.expect_download() as waiting:
        page.click("[data-do=kept-json]")
    waiting.value.save_as(tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert [answer["question"] for answer in kept["answers"]] == [MINISTRY, ZOO]
    assert kept["answers"][0]["citations"][0]["quote"] == "Ministerie van Economische Zaken en Klimaat"
    with page.expect_download() as waiting:
        page.click("[data-do=kept-markdown]")
    waiting.value.save_as(tmp_path / "kept.md")
    assert "> Ministerie van Economische Zaken en Klimaat" in (tmp_path / "kept.md").read_text(encoding="utf-8")
    page.fill("#find", "staat nergens")
    expect(page.locator("#kept")).to_contain_text("Geen gesprek gevonden.", use_inner_text=True)
    page.fill("#find", "")
    page.click("[data-do=kept-open]")
    expect(page.locator(".turn")).to_have_count(2)
    page.click("[data-do=conversations]")
    page.click("[data-do=kept-delete]")
    expect(page.locator("#kept")).to_contain_text("Er zijn nog geen gesprekken.", use_inner_text=True)


def test_feedback_with_a_picked_sentence_is_found_edited_and_run_in_evaluate(open_page: Open, site: Site) -> None:
    page = open_page()
    site.service.kept.path.unlink(missing_ok=True)
    ask(page, ZOO)
    page.click("[data-do=turn-good]")
    expect(page.locator("#status")).to_contain_text("evaluatievragen", use_inner_text=True)
    assert site.service.kept.lines()[0]["tags"] == ["feedback", "good_refusal"]
    ask(page, MINISTRY)
    page.locator("[data-do=turn-bad]").last.click()
    page.click("form.why label:has-text('De verkeerde passage')")
    page.click("form.why .link")
    page.locator("#reader .s:has-text('24 januari 2024')").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".picked q")).to_have_text("24 januari 2024", use_inner_text=True)
    page.click("form.why button[type=submit]")
    expect(page.locator("form.why")).to_have_count(0)
    lines = site.service.kept.lines()
    assert [(line["answerable"], line["evidence"]) for line in lines] == [(False, []), (True, ["24 januari 2024"])]
    page.click("#tab-evaluate")
    row = page.locator("#feedback .row", has_text=MINISTRY)
    row.locator("summary").click()
    row.locator("textarea").fill("Ministerie van Economische Zaken en Klimaat")
    row.locator("button[type=submit]").click()
    expect(page.locator("#status")).to_contain_text("Bewaard.", use_inner_text=True)
    assert site.service.kept.lines()[1]["evidence"] == ["Ministerie van Economische Zaken en Klimaat"]
    page.click("#tab-chat")
    page.click("#tab-evaluate")
    page.select_option("#set", "feedback.jsonl")
    page.click("#run-set button[type=submit]")
    report = page.frame_locator("#report iframe")
    expect(report.locator("details")).to_have_count(2)
    expect(report.locator("summary .right")).to_have_count(2)
    report.locator("summary").first.click()
    expect(report.locator("details[open]")).to_contain_text("Passages", use_inner_text=True)


def test_a_document_is_added_asked_and_removed(open_page: Open, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "kanaal.txt"
    path.write_text("1. Inleiding\n\nDe sluis bij Terneuzen meet 427 meter.\n", encoding="utf-8")
    page = open_page()
    page.click("#tab-documents")
    expect(page.locator("#documents .row")).to_have_count(2)
    page.set_input_files("#document-file", path)
    page.click("#add-document button")
    expect(page.locator("#documents .row")).to_have_count(3, timeout=60_000)
    page.click("#tab-chat")
    ask(page, "Hoeveel meter meet de sluis bij Terneuzen?")
    expect(page.locator("#reader .cited")).to_have_text("De sluis bij Terneuzen meet 427 meter.", use_inner_text=True)
    expect(page.locator("#which")).to_have_value("kanaal")
    page.click("#tab-documents")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#documents .row", has_text="kanaal").locator("[data-do=document-remove]").click()
    expect(page.locator("#documents .row")).to_have_count(2, timeout=60_000)
    page.set_input_files("#document-file", files=[{"name": "x.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe"}])
    page.click("#add-document button")
    expect(page.locator("#status")).to_contain_text("Dit kan niet: x.txt is not UTF-8", use_inner_text=True)


@pytest.mark.parametrize("family", [markup, remote])
def test_questions_of_markup_stay_text(family: Callable[[str], dict[str, str]], open_page: Open, site: Site) -> None:
    page = open_page()
    for name, attack in family(site.beacon).items():
        ask(page, f"{attack} ministerie?")
        visible = "".join(c for c in " ".join(attack.split()) if c not in "\u202e\u202c\u2066\u2069")
        shown = " ".join((page.locator(".question").last.text_content() or "").split())
        assert visible in shown or attack in shown, name
        _nothing_happened(page, site)


def test_a_document_of_attacks_stays_text(open_page: Open, site: Site) -> None:
    page = open_page()
    page.select_option("#which", "aanval")
    expect(page.locator("#reader")).to_contain_text("window.hit=8", use_inner_text=True)
    _nothing_happened(page, site)
    for name in ("nested", "overlay", "mermaid", "video"):
        ask(page, f"De familie {name} wordt hier beproefd met het voorbeeld en verder niets")
        expect(page.locator("#sources .card").first).to_contain_text(name, use_inner_text=True)
    page.click("#tab-documents")
    expect(page.locator("#documents")).to_contain_text("onerror", use_inner_text=True)
    _nothing_happened(page, site)
    expect(page.locator("#reader")).not_to_contain_text("\u202e", use_inner_text=True)


def _nothing_happened(page: Page, site: Site) -> None:
    page.wait_for_timeout(250)
    assert page.evaluate("window.hit") is None
    assert site.fetched == []
    inside = "#turns *, #sources *, #reader *, #outline *, #documents *"
    names = set(page.eval_on_selector_all(inside, "all => all.map(e => e.tagName.toLowerCase())"))
    assert names <= ELEMENTS
    fixed = f"[...document.querySelectorAll('{inside}')].filter(e => getComputedStyle(e).position === 'fixed').length"
    assert page.evaluate(fixed) == 0
    attributes = page.eval_on_selector_all(inside, "all => all.flatMap(e => e.getAttributeNames())")
    assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href", "action")]


@pytest.mark.parametrize(("locale", "width", "dark"), [("nl-NL", 1400, False), ("en-GB", 390, True)])
def test_every_tab_is_accessible(locale: str, width: int, dark: bool, open_page: Open) -> None:
    page = open_page(locale, width, dark)
    ask(page, MINISTRY)
    ask(page, OBSERVERS)
    _accessible(page, "chat")
    page.locator("[data-do=turn-bad]").last.click()
    _accessible(page, "feedback")
    if width < 500:
        for pane in ("sources", "document"):
            page.click(f".switch [data-pane={pane}]")
            _accessible(page, pane)
    page.click("#tab-documents")
    expect(page.locator("#documents .row")).not_to_have_count(0)
    _accessible(page, "documents")
    page.click("#tab-evaluate")
    expect(page.locator("#set option")).not_to_have_count(0)
    _accessible(page, "evaluate")
    page.click("#tab-chat")
    if width < 500:
        page.click(".switch [data-pane=conversation]")
    page.click("[data-do=conversations]")
    _accessible(page, "conversations")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _accessible(page: Page, where: str) -> None:
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": rules}})
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, (where, [(v["id"], [node["html"][:160] for node in v["nodes"][:3]]) for v in serious])


def test_the_whole_way_by_keyboard(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(MINISTRY)
    page.keyboard.press("Enter")
    expect(page.locator(".cite")).to_have_count(1)
    page.locator("#tab-chat").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-documents")).to_be_focused()
    expect(page.locator("#panel-documents")).to_be_visible()


def test_a_request_that_is_turned_away_is_told(open_page: Open, site: Site) -> None:
    page = open_page()
    page.evaluate("fiche.status = 429; fiche.send = () => fiche.turnedAway()")
    page.fill("#question", MINISTRY)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .error")).to_contain_text("te veel vragen tegelijk", use_inner_text=True)
    expect(page.locator("#send")).to_be_enabled()


def test_errors_are_a_sentence(open_page: Open) -> None:
    page = open_page()
    page.fill("#question", "?!")
    page.keyboard.press("Enter")
    expect(page.locator(".turn .error")).to_contain_text("Hier valt niets te vragen", use_inner_text=True)
    page.evaluate("document.getElementById('question').maxLength = 9999")
    page.fill("#question", "a " * 1500)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .error").last).to_contain_text("De vraag is te lang", use_inner_text=True)
