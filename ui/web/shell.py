"""The page as it stands before anything was asked: header, tabs, panes, empty places to be filled.

Knows nothing of answers or documents. Its controls carry `data-do`, the name of what the script
does when they are used.
"""

import json

from ui.web.icons import icon
from ui.web.keeping import MAX_UPLOAD_BYTES
from ui.web.markup import Markup, join, tag
from ui.web.sheets import conversations, documents_panel, evaluate_panel, panel
from ui.web.words import both, for_script, label

__all__ = ["EXAMPLES", "shell"]

EXAMPLES = (
    ("nl", "Welk ministerie is eerstverantwoordelijk?"),
    ("nl", "Wat vindt het kabinet van het delen van supercomputers?"),
    ("nl", "Hoeveel lidstaten zijn waarnemer bij ALT-EDIC?"),
    ("en", "Which countries take part in ALT-EDIC?"),
    ("en", "What does the cabinet think of GenAI4EU?"),
)
"""Questions that the shipped fiche answers, to begin with."""
_TABS = ("chat", "documents", "evaluate")
_PANES = ("conversation", "sources", "document")


def shell() -> Markup:
    """The whole page."""
    return tag(
        "div",
        tag("a", both("skip"), href="#question", class_="skip", data_do="skip"),
        _header(),
        tag("div", _chat_panel(), documents_panel(), evaluate_panel(), class_="panels"),  # in Gradio's <main>
        conversations(),
        tag("p", id="status", class_="toast", role="status"),
        id="app",
        class_="fi",
        data_ui="en",
        data_words=json.dumps(for_script(), ensure_ascii=False),
        data_most=MAX_UPLOAD_BYTES,
    )


def _header() -> Markup:
    tabs = [
        tag(
            "button",
            both(f"tab_{name}"),
            type="button",
            role="tab",
            id=f"tab-{name}",
            aria_controls=f"panel-{name}",
            aria_selected="true" if name == "chat" else "false",
            tabindex="0" if name == "chat" else "-1",
            data_do="tab",
            data_tab=name,
        )
        for name in _TABS
    ]
    languages = [
        tag(
            "button",
            tag("span", code.upper(), aria_hidden="true"),
            tag("span", name, class_="sr", lang=code),
            type="button",
            aria_pressed="false",
            data_do="language",
            data_language=code,
        )
        for code, name in (("nl", "Nederlands"), ("en", "English"))
    ]
    return tag(
        "header",
        tag("div", tag("h1", "fiche"), tag("p", both("tagline")), class_="brand"),
        tag("div", *tabs, role="tablist", class_="tabs", **label("tabs")),
        tag(
            "div",
            tag("div", *languages, class_="languages", role="group", **label("language")),
            tag("button", icon("theme"), type="button", class_="quiet", data_do="theme", **label("theme")),
            class_="tools",
        ),
        class_="top",
    )


def _chat_panel() -> Markup:
    switches = [
        tag(
            "button",
            both(name),
            type="button",
            data_do="pane",
            data_pane=name,
            aria_pressed="true" if name == "conversation" else "false",
        )
        for name in _PANES
    ]
    return panel(
        "chat",
        tag("div", *switches, class_="switch", role="group", **label("panes")),
        _conversation_pane(),
        tag(
            "section",
            tag("div", tag("h2", both("sources"), id="h-sources"), class_="bar"),
            _scroll("sources", "sources_empty", "scroll", heading="h-sources"),
            class_="pane sources",
            data_pane="sources",
        ),
        _document_pane(),
        hidden=False,
    )


def _filter() -> Markup:
    """Which documents a question is put to; shown where there is a choice."""

    def field(key: str, control: Markup) -> Markup:
        return tag("div", tag("label", both(key), for_=f"filter-{key}"), control, class_="field")

    every = tag("option", "", value="", data_key="all_documents")
    return tag(
        "details",
        tag("summary", both("narrow")),
        tag(
            "div",
            field("document", tag("select", every, id="filter-document")),
            field("since", tag("input", type="date", id="filter-since")),
            field("until", tag("input", type="date", id="filter-until")),
            field("ministry", tag("input", type="text", id="filter-ministry", maxlength="200", autocomplete="off")),
            class_="fields",
        ),
        id="filter",
        hidden=True,
    )


def _conversation_pane() -> Markup:
    field = tag(
        "textarea",
        id="question",
        rows="2",
        maxlength="2000",
        autocomplete="off",
        aria_describedby="composer-status",
        **label("ask_hint", "hint"),
    )
    buttons = join(
        tag(
            "button",
            icon("list"),
            tag("span", both("conversations")),
            type="button",
            class_="quiet",
            data_do="conversations",
        ),
        tag("button", icon("plus"), tag("span", both("new")), type="button", class_="quiet", data_do="new"),
    )
    return tag(
        "section",
        tag("div", tag("h2", both("conversation"), id="h-log"), tag("div", buttons, class_="group"), class_="bar"),
        tag(
            "div",
            _welcome(),
            tag("div", id="turns", role="log"),
            id="log",
            class_="scroll",
            tabindex="0",
            role="region",
            aria_labelledby="h-log",
        ),
        _filter(),
        tag(
            "form",
            tag("label", both("ask"), for_="question", class_="sr"),
            field,
            tag("button", tag("span", both("send")), icon("send"), type="submit", class_="primary", id="send"),
            tag("p", id="composer-status", class_="sr"),
            id="composer",
        ),
        class_="pane talk current",
        data_pane="conversation",
    )


def _welcome() -> Markup:
    examples = [
        tag(
            "li",
            tag(
                "button",
                tag("span", text, lang=lang),
                type="button",
                class_="example",
                data_do="example",
                data_question=text,
            ),
        )
        for lang, text in EXAMPLES
    ]
    return tag(
        "div",
        tag("p", both("welcome"), class_="greeting"),
        tag("p", both("welcome_more")),
        tag("h3", both("examples")),
        tag("ul", *examples),
        id="welcome",
        class_="welcome",
    )


def _scroll(identity: str, hint: str, classes: str, *, heading: str) -> Markup:
    """A region that scrolls, also by keyboard; it has a hint until something fills it."""
    empty = tag("p", both(hint), class_="hint")
    return tag("div", empty, id=identity, class_=classes, tabindex="0", role="region", aria_labelledby=heading)


def _document_pane() -> Markup:
    chooser = tag(
        "div",
        tag("label", both("which_document"), for_="which", class_="sr"),
        tag("select", id="which"),
        class_="chooser",
        hidden=True,
        id="chooser",
    )
    return tag(
        "section",
        tag("div", tag("h2", both("document"), id="h-document"), chooser, class_="bar"),
        tag(
            "details",
            tag("summary", both("outline")),
            tag("nav", id="outline", **label("outline")),
            class_="outline",
            id="outline-box",
        ),
        tag("div", id="picking", class_="picking-bar", role="status"),
        _scroll("reader", "loading", "scroll reader", heading="h-document"),
        class_="pane document",
        data_pane="document",
    )
