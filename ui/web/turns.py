"""Turns an answer into what the chat shows of it: the answer, and its sources or what came nearest.

Knows nothing of Gradio. A turn is a plain object that the browser keeps and gives back to nobody.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from index.records import Document, Passage, Span
from rag.language import Language, detect_language
from rag.records import Answer, Citation, Hit, Part, Reason, Writing
from ui.web.icons import icon
from ui.web.markup import Markup, join, tag
from ui.web.sentences import Sentence, sentences_of, written_sentences
from ui.web.words import both, label, word

__all__ = ["draft_html", "make_turn", "turn_error"]

_NEAREST = 3
"""Passages shown beside a refusal: more would read like an answer."""


def make_turn(answer: Answer, typed: str) -> dict[str, Any]:
    """What the browser gets for a question.

    Args:
        answer: the engine's.
        typed: the question as it was typed, before a follow-up was completed.
    """
    identity = secrets.token_hex(5)
    return {
        "id": identity,
        "question": typed,
        "answer": answer.to_json(),
        "html": _answer_html(answer, typed, identity),
        "sources": _nearest_html(answer, identity) if answer.abstained else _sources_html(answer, identity),
        "places": [_place_json(c.document, c.start, c.end) for c in answer.citations]
        or [_place_json(h.document, h.best.start, h.best.end) for h in answer.passages[:1]],
    }


def turn_error(message: Markup, typed: str) -> dict[str, Any]:
    """What the browser gets where a question could not be answered: the reason, in a sentence."""
    return {"question": typed, "error": tag("p", message, class_="error", role="alert")}


def _place_json(document: Document, start: int, end: int) -> dict[str, Any]:
    return {"document": document.id, "start": start, "end": end}


def _answer_html(answer: Answer, typed: str, identity: str) -> Markup:
    understood = None
    if answer.question != typed:
        understood = tag("p", both("understood"), " ", tag("q", answer.question, lang=answer.lang), class_="understood")
    body = [_sentence_html(sentence, answer.lang, identity) for sentence in sentences_of(answer)]
    foot = None
    if not answer.abstained:
        percent = round(100 * answer.confidence)
        foot = join(_writing_html(answer.writing), tag("p", both("confidence", percent=percent), class_="confidence"))
    return join(
        understood,
        tag("h3", both("refusal" if answer.abstained else "answer"), class_="what"),
        tag("div", *body, class_="sentences"),
        foot,
        _buttons(answer),
    )


def draft_html(parts: Iterable[Part], citations: Sequence[Citation], lang: Language) -> Markup:
    """The sentences that passed their check, of an answer that is still being written."""
    body = [_sentence_html(sentence, lang, "") for sentence in written_sentences(parts, citations, lang)]
    return join(tag("div", *body, class_="sentences"), tag("p", both("checking"), class_="searching"))


def _writing_html(writing: Writing | None) -> Markup | None:
    """Who wrote the answer, what was left out of it, or why it is quoted after all."""
    if writing is None:
        return None
    if writing.failure:
        return tag("p", both("quoting_instead"), class_="remark")
    told = [both("written_by", model=writing.model)]
    if writing.dropped:
        told.append(both("dropped", count=writing.dropped))
    return tag("p", join(*told, by=" "), class_="remark")


def _buttons(answer: Answer) -> Markup:
    """Thumbs, and a way to take the answer along."""
    names = {"good": "thumb-up", "bad": "thumb-down", "copy": "copy"}
    return tag(
        "div",
        *(
            tag("button", icon(drawn), type="button", class_="quiet", data_do=f"turn-{name}", **label(name))
            for name, drawn in names.items()
            if not (name == "copy" and answer.abstained)
        ),
        class_="after",
    )


def _sentence_html(sentence: Sentence, lang: Language, identity: str) -> Markup:
    spoken = lang if sentence.kind != "quoted_dutch" else "nl"
    if sentence.kind == "remark":
        return tag("p", sentence.text, class_="remark", lang=lang)
    markers = [_marker_html(citation, identity) for citation in sentence.citations]
    return tag(
        "div",
        tag("p", tag("span", sentence.text, lang=spoken), " ", join(*markers, by=" ") if markers else None),
        tag("p", icon(sentence.kind), both(sentence.kind), class_="kind"),
        class_=f"sentence {sentence.kind}",
    )


def _marker_html(citation: Citation, identity: str) -> Markup:
    place, english = (
        f"{word('source_n', lang, n=citation.n)}: {word('page', lang, page=citation.page)}"
        for lang in get_args(Language)
    )
    return tag(
        "button",
        str(citation.n),
        type="button",
        class_="cite",
        data_do="cite",
        data_n=citation.n,
        data_turn=identity,
        data_document=citation.document.id,
        data_start=citation.start,
        data_end=citation.end,
        data_label_nl=place,
        data_label_en=english,
    )


def _sources_html(answer: Answer, identity: str) -> Markup:
    several = answer.documents > 1
    cards = [_card(citation, identity, answer.lang, several=several) for citation in answer.citations]
    return tag("ol", *cards, class_="cards")


def _card(citation: Citation, identity: str, spoken: Language, *, several: bool = False) -> Markup:
    document, passage = citation.document, _passage_at(citation.document, citation.start)
    english = None
    if citation.translation and citation.translation != citation.quote:
        named = "translation_machine" if citation.machine_made else "translation"
        english = join(tag("h4", both(named)), tag("blockquote", citation.translation, lang="en", class_="translation"))
    own = detect_language(citation.quote)
    if english is None and spoken == "en" and own == "nl":
        english = tag("p", both("no_translation"), class_="hint")
    return tag(
        "li",
        tag(
            "h3",
            tag("span", str(citation.n), class_="number"),
            " ",
            _place(document, citation.section, citation.start, passage, citation.section_translation),
            _document_name(document) if several else None,
        ),
        tag("h4", both("original")) if own == "nl" and english else None,
        tag("blockquote", citation.quote, lang=own),
        english,
        _show_button(document, citation.start, citation.end, citation.n),
        id=f"source-{identity}-{citation.n}",
        class_="card",
        tabindex="-1",
    )


def _nearest_html(answer: Answer, identity: str) -> Markup:
    hits = answer.passages[:_NEAREST]
    reasons = [tag("li", _reason(reason)) for reason in answer.reasons]
    return join(
        tag("div", tag("h3", both("why_not")), tag("ul", *reasons), class_="why") if reasons else None,
        tag("ol", *(_near_card(hit, identity, several=answer.documents > 1) for hit in hits), class_="cards"),
    )


def _reason(reason: Reason) -> Markup:
    if reason.kind == "names":
        return _in_both("reason_names", "names", [(f"“{name}”", f"“{name}”") for name in reason.words], ("en", "and"))
    if reason.kind == "kind":
        kinds = [(word(f"kind_{name}", "nl"), word(f"kind_{name}", "en")) for name in reason.words]
        return _in_both("reason_kind", "kind", kinds, ("of", "or"))
    return both(f"reason_{reason.kind}")


def _in_both(key: str, gap: str, items: list[tuple[str, str]], last: tuple[str, str]) -> Markup:
    """A sentence in both languages with an enumeration in its gap: `a, b en c`."""
    sides = []
    for i, lang in enumerate(get_args(Language)):
        named = [item[i] for item in items]
        listed = f" {last[i]} ".join(filter(None, (", ".join(named[:-1]), named[-1])))
        sides.append(tag("span", word(key, lang, **{gap: listed}), class_=lang, lang=lang))
    return join(*sides)


def _near_card(hit: Hit, identity: str, *, several: bool = False) -> Markup:
    text, best, passage = hit.document.text, hit.best, hit.passage
    first, last = passage.sentences[0].start, passage.sentences[-1].end
    return tag(
        "li",
        tag("p", both("nearest" if hit.rank == 1 else "also"), class_="rank"),
        tag(
            "h3",
            _place(hit.document, passage.section, best.start, passage, hit.section_translation),
            _document_name(hit.document) if several else None,
        ),
        tag(
            "blockquote",
            _shortened(text, Span(first, best.start), keep_end=True),
            tag("strong", text[best.start : best.end]),
            _shortened(text, Span(best.end, last), keep_end=False),
            lang=detect_language(text[best.start : best.end]),
        ),
        _show_button(hit.document, best.start, best.end, hit.rank),
        id=f"source-{identity}-{hit.rank}",
        class_="card near",
        tabindex="-1",
    )


def _shortened(text: str, span: Span, *, keep_end: bool) -> str:
    """At most some twenty words of the context of a sentence, cut between words."""
    words = " ".join(text[span.start : span.end].split()).split(" ")
    if words == [""]:
        return ""
    cut = words[-20:] if keep_end else words[:20]
    dots = "… " if len(words) > 20 else ""
    return f"{dots}{' '.join(cut)} " if keep_end else f" {' '.join(cut)}{' …' if dots else ''}"


def _place(document: Document, section: str, start: int, passage: Passage | None, english: str | None) -> Markup:
    """`pagina 5 · 3b Beoordeling …`, the title in English where it is known and the page is in English."""
    title = document.section_title(section) if section else document.title
    parts = [both("page", page=document.page_at(start))]
    if passage and passage.kind == "footnote":
        number = document.text[passage.start : passage.sentences[0].start].strip()
        parts.append(both("footnote", number=number))
    named = tag("span", title, lang="nl")
    if english and english != title:
        named = join(tag("span", title, class_="nl", lang="nl"), tag("span", english, class_="en", lang="en"))
    number = document.section_number(section)
    parts.append(join(f"{number} " if number else "", named))
    return join(*parts, by=" · ")


def _document_name(document: Document) -> Markup:
    """Which of several documents a source stands in, on a line of its own."""
    return tag("span", document.title, class_="source-document", lang="nl")


def _show_button(document: Document, start: int, end: int, number: int) -> Markup:
    return tag(
        "button",
        both("show"),
        tag("span", f" {number}", class_="sr"),
        type="button",
        class_="link",
        data_do="cite",
        data_document=document.id,
        data_start=start,
        data_end=end,
    )


def _passage_at(document: Document, start: int) -> Passage | None:
    return next((p for p in document.passages if any(s.start == start for s in p.sentences)), None)
