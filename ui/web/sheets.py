"""The parts of the page beside the chat: the tabs Documents and Evaluate, and the kept conversations.

Knows nothing of what will fill them. As `shell`, its controls carry `data-do`.
"""

from index.formats.sniff import SUFFIXES
from ui.web.icons import icon
from ui.web.keeping import MAX_UPLOAD_BYTES
from ui.web.markup import Markup, join, tag
from ui.web.words import both, label

__all__ = ["conversations", "documents_panel", "evaluate_panel", "panel"]


def panel(name: str, *children: Markup, hidden: bool = True) -> Markup:
    """What a tab shows."""
    return tag(
        "section",
        *children,
        role="tabpanel",
        id=f"panel-{name}",
        aria_labelledby=f"tab-{name}",
        hidden=hidden,
        class_=f"panel {name}",
    )


def _file(identity: str, key: str, accept: str, *, several: bool = False) -> Markup:
    return tag(
        "div",
        tag("span", both(key), class_="label", id=f"{identity}-label"),
        tag(
            "input",
            type="file",
            id=identity,
            accept=accept,
            multiple=several,
            class_="sr",
            aria_labelledby=f"{identity}-label",
        ),
        tag("label", both("choose"), for_=identity, class_="choose"),
        tag("span", both("no_file"), id=f"{identity}-name", class_="hint"),
        class_="field file",
    )


def documents_panel() -> Markup:
    """What is indexed, and a way to add to it."""
    megabytes = MAX_UPLOAD_BYTES // 1_000_000
    return panel(
        "documents",
        tag(
            "div",
            tag("h2", both("tab_documents")),
            tag("p", both("documents_intro"), class_="lead"),
            tag("div", id="documents", class_="list"),
            tag(
                "form",
                tag("h3", both("add_document")),
                tag("p", both("add_hint", megabytes=megabytes), class_="hint", id="add-hint"),
                _file("document-file", "choose_file", ",".join(SUFFIXES), several=True),
                tag("button", both("add"), type="submit", class_="primary"),
                id="add-document",
                class_="box",
            ),
            tag("div", id="index-job", class_="job", role="status"),
            tag("ul", id="outcomes", class_="outcomes", aria_live="polite"),
            tag("dl", id="index-facts", class_="facts"),
            class_="sheet",
        ),
    )


def evaluate_panel() -> Markup:
    """Sets, runs, reports, and what users said."""
    fields = join(
        tag("div", tag("label", both("set"), for_="set"), tag("select", id="set"), class_="field"),
        tag(
            "div",
            tag("label", both("limit"), for_="limit"),
            tag("input", type="number", id="limit", min="1", max="100000", inputmode="numeric"),
            class_="field",
        ),
        tag("div", tag("label", both("compare"), for_="earlier"), tag("select", id="earlier"), class_="field"),
        _file("set-file", "set_own", ".jsonl,application/json"),
    )
    return panel(
        "evaluate",
        tag(
            "div",
            tag("h2", both("tab_evaluate")),
            tag("p", both("evaluate_intro"), class_="lead"),
            tag(
                "form",
                tag("div", fields, class_="fields"),
                tag("button", both("run"), type="submit", class_="primary"),
                id="run-set",
                class_="box",
            ),
            tag("div", id="run-job", class_="job", role="status"),
            tag("div", id="runs"),
            tag("div", id="report", class_="report"),
            tag("h3", both("feedback_set"), id="h-feedback"),
            tag("p", both("feedback_intro"), class_="hint"),
            tag("div", id="feedback", class_="list"),
            class_="sheet",
        ),
    )


def conversations() -> Markup:
    """The dialog with the conversations that the browser keeps."""
    return tag(
        "dialog",
        tag(
            "div",
            tag("h2", both("conversations"), id="h-conversations"),
            tag("button", icon("close"), type="button", class_="quiet", data_do="close", **label("close")),
            class_="bar",
        ),
        tag("p", both("kept_here"), class_="hint"),
        tag("label", both("find"), for_="find", class_="sr"),
        tag("input", type="search", id="find", **label("find", "hint")),
        tag("ul", id="kept", class_="kept"),
        id="conversations",
        aria_labelledby="h-conversations",
    )
