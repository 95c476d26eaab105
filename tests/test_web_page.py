"""The chat as a person uses it, in a real browser without a screen."""

import json
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import NEEDS_CHROMIUM, Open, ask
from tests.web import Site

MINISTRY = "Welk ministerie is eerstverantwoordelijk?"
OBSERVERS = "How many member states take part as observers"
ZOO = "Wat kost een kaartje voor de dierentuin in Artis?"
COMMON = {(True, 1400, False), (False, 390, True)}
"""Dutch, width, dark: the looks that are always tried; the long tests try them all."""
pytestmark = NEEDS_CHROMIUM


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
    ask(page, "En is Nederland daar lid van?")
    expect(page.locator(".understood")).to_contain_text("lid van (ALT-EDIC)?", use_inner_text=True)
    page.click("[data-do=new]")
    ask(page, "En is Nederland daar lid van?")
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
    written = (tmp_path / "kept.md").read_text(encoding="utf-8")
    assert "> Ministerie van Economische Zaken en Klimaat" in written
    assert "[1] kst-22112-3908, pagina 1, 1g" in written
    assert kept["answers"][0]["asked"] == MINISTRY
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
    page.click("#picking button")
    expect(page.locator("#picking")).to_be_empty()
    expect(page.locator(".picked")).to_be_hidden()
    page.click("form.why .link")
    expect(page.locator("#picking")).to_contain_text("Kies een zin", use_inner_text=True)
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


def test_a_run_is_compared_with_an_earlier_one_and_reported_in_the_language_of_the_page(
    open_page: Open, tmp_path: Path
) -> None:
    lines = [
        {"id": f"m{i}-nl", "question": MINISTRY, "lang": "nl", "answerable": True,
         "evidence": ["Ministerie van Economische Zaken en Klimaat"], "facts": [], "tags": ["actor"]}
        for i in range(2)
    ]  # fmt: skip
    path = tmp_path / "eigen.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page = open_page()
    page.click("#tab-evaluate")
    page.set_input_files("#set-file", path)
    expect(page.locator("#set")).to_have_value("eigen.jsonl")
    page.click("#run-set button[type=submit]")
    report = page.frame_locator("#report iframe")
    expect(report.locator("details")).to_have_count(2)
    expect(report.locator("h2").first).to_have_text("In het kort")
    page.select_option("#earlier", index=1)
    page.fill("#limit", "1")
    page.click("#run-set button[type=submit]")
    expect(report.locator("details")).to_have_count(1)
    expect(report.locator("body")).to_contain_text("Vergeleken met")
    expect(report.locator("tr", has_text="+0.000").first).to_contain_text("eerste passage goed")
    expect(report.locator("body")).to_contain_text("0 werden fout")
    frame = page.locator("#report iframe")
    height = report.locator("body").evaluate("body => body.offsetHeight")
    assert abs(frame.evaluate("frame => frame.clientHeight") - height) < 5
    for theme in ("dark", "light"):
        page.click("[data-do=theme]")
        expect(report.locator(f"html[data-theme={theme}]")).to_be_attached()
    page.click("[data-language=en]")
    expect(report.locator("h2").first).to_have_text("Headline")
    expect(report.locator("body")).to_contain_text("Against")
    expect(report.locator("body")).not_to_contain_text("werden")
    page.click("#runs summary")
    page.locator("#runs [data-do=run-show]").last.click()
    expect(report.locator("body")).not_to_contain_text("Against")
    path.write_text('{"id": "a-nl", "question": "", "lang": "nl", "answerable": true}', encoding="utf-8")
    page.click("[data-language=nl]")
    page.set_input_files("#set-file", path)
    expect(page.locator("#status")).to_contain_text("(regel 1: de vraag is leeg)", use_inner_text=True)


def test_an_answer_is_copied_with_its_sources(open_page: Open) -> None:
    page = open_page()
    ask(page, MINISTRY)
    page.click("[data-do=turn-copy]")
    expect(page.locator("#status")).to_have_text("Gekopieerd.", use_inner_text=True)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"## {MINISTRY}\n")
    assert "[1] kst-22112-3908, pagina 1, 1g\n\n> Ministerie van Economische Zaken en Klimaat" in copied


def test_something_is_on_the_screen_within_a_second_however_long_the_answer_takes(
    open_page: Open, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = site.engine.stream

    def slow(*given: object, **named: object) -> Iterator[object]:
        time.sleep(2)
        yield from asked(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(site.engine, "stream", slow)
    page = open_page()
    page.fill("#question", MINISTRY)
    began = time.perf_counter()
    page.keyboard.press("Enter")
    expect(page.locator(".turn .searching")).to_contain_text("Aan het zoeken", use_inner_text=True)
    assert time.perf_counter() - began < 1
    expect(page.locator("#log")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".reply")).to_have_count(1)
    assert time.perf_counter() - began > 2
    expect(page.locator("#log")).to_have_attribute("aria-busy", "false")


def test_a_page_number_never_stands_within_a_word(open_page: Open) -> None:
    page = open_page()
    marks = page.locator("#reader .pagemark")
    assert marks.count() == 7
    before = marks.evaluate_all("all => all.map(mark => (mark.previousSibling || {}).textContent || ' ')")
    assert all(text[-1].isspace() for text in before), before


def test_a_question_is_limited_to_a_document(open_page: Open) -> None:
    page = open_page()
    names = page.locator("#sources .card .source-document")
    ask(page, MINISTRY)
    expect(names.first).to_contain_text("startups", use_inner_text=True)
    page.click("#filter summary")
    page.select_option("#filter-document", "aanval")
    ask(page, MINISTRY)
    expect(names.first).not_to_contain_text("startups", use_inner_text=True)
    page.select_option("#filter-document", "")
    page.fill("#filter-since", "2030-01-31")
    ask(page, "Wie is eerstverantwoordelijk?")
    told = page.locator(".turn .error").last
    expect(told).to_contain_text("er is geen document dat aan de keuze voldoet", use_inner_text=True)


def test_a_document_is_added_asked_and_removed(open_page: Open, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "kanaal.txt"
    path.write_text("1. Inleiding\n\nDe sluis bij Terneuzen meet 427 meter.\n", encoding="utf-8")
    page = open_page()
    page.click("#tab-documents")
    expect(page.locator("#documents .row")).to_have_count(2)
    bad = {"name": "x.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe"}
    good = {"name": path.name, "mimeType": "text/plain", "buffer": path.read_bytes()}
    page.set_input_files("#document-file", files=[bad, good])  # type: ignore[list-item]
    page.click("#add-document button")
    expect(page.locator("#documents .row")).to_have_count(3, timeout=60_000)
    outcomes = page.locator("#outcomes li")
    expect(outcomes.nth(0)).to_contain_text("x.txt: Dit kan niet: het is geen UTF-8 (byte 0).", use_inner_text=True)
    expect(outcomes.nth(1)).to_have_text("kanaal.txt: toegevoegd", use_inner_text=True)
    page.set_input_files("#document-file", path)
    page.click("#add-document button")
    expect(outcomes).to_have_text(["kanaal.txt: stond er al precies zo in"], use_inner_text=True)
    page.click("#tab-chat")
    ask(page, "Hoeveel meter meet de sluis bij Terneuzen?")
    expect(page.locator("#reader .cited")).to_have_text("De sluis bij Terneuzen meet 427 meter.", use_inner_text=True)
    expect(page.locator("#which")).to_have_value("kanaal")
    page.click("#tab-documents")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#documents .row", has_text="kanaal").locator("[data-do=document-remove]").click()
    expect(page.locator("#documents .row")).to_have_count(2, timeout=60_000)


LOOKS = [
    pytest.param(locale, width, dark, marks=() if (locale == "nl-NL", width, dark) in COMMON else pytest.mark.long)
    for locale in ("nl-NL", "en-GB")
    for width in (1400, 390)
    for dark in (False, True)
]


@pytest.mark.parametrize(("locale", "width", "dark"), LOOKS)
def test_every_tab_and_state_is_accessible(locale: str, width: int, dark: bool, open_page: Open, site: Site) -> None:
    page = open_page(locale, width, dark)
    show = _shower(page, width)
    _accessible(page, "empty")
    for question in (MINISTRY, OBSERVERS, ZOO):
        ask(page, question)
        for pane in ("conversation", "sources", "document"):
            show(pane)
            _accessible(page, f"{question} {pane}")
        show("conversation")
    page.locator("[data-do=turn-bad]").last.click()
    _accessible(page, "feedback")
    page.click("form.why .link")
    page.locator("#outline-box").evaluate("box => { box.open = true }")
    _accessible(page, "picking")
    page.keyboard.press("Escape")
    page.click("form.why button[type=submit]")
    expect(page.locator("form.why")).to_have_count(0)
    page.click("[data-do=conversations]")
    _accessible(page, "conversations")
    page.keyboard.press("Escape")
    page.click("#tab-documents")
    expect(page.locator("#documents .row")).not_to_have_count(0)
    _accessible(page, "documents")
    page.click("#tab-evaluate")
    page.locator("#feedback summary").first.click()
    _accessible(page, "evaluate")
    page.fill("#limit", "1")
    page.click("#run-set button[type=submit]")
    expect(page.locator("#report iframe")).to_have_count(1)
    _accessible(page, "report's frame")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    latest = max(path.name for path in (site.settings.home / "runs").iterdir())
    report = site.service.report({"name": latest, "lang": locale[:2]})
    page.set_content(unescape(str(report["frame"]).split('srcdoc="')[1].split('"></iframe>')[0]))
    page.locator("summary").first.click()
    _accessible(page, "report")


def _shower(page: Page, width: int) -> Callable[[str], None]:
    """On a narrow screen one pane is shown at a time."""
    return lambda pane: page.click(f".switch [data-pane={pane}]") if width < 500 else None


def _accessible(page: Page, where: str) -> None:
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": rules}})
    serious = [v for v in found.response["violations"] if v["impact"] != "minor"]
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
