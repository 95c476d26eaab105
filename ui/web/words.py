"""The words of the web interface, Dutch and English; knows nothing of documents.

A word is put into the page in both languages, and the style sheet shows one: that is why the
switch works at once, also for what was answered before it.
"""

from collections.abc import Mapping
from typing import Any

from rag.language import Language
from ui.web.markup import Markup, join, tag

__all__ = ["both", "for_script", "label", "pair", "word"]

_WORDS: dict[str, tuple[str, str]] = {
    # the frame
    "tagline": ("Vraag het de fiche, en kijk het na", "Ask the fiche, and check it"),
    "skip": ("Naar de vraag", "Skip to the question"),
    "tab_chat": ("Vragen", "Ask"),
    "tab_documents": ("Documenten", "Documents"),
    "tab_evaluate": ("Evalueren", "Evaluate"),
    "tabs": ("Onderdelen", "Sections"),
    "language": ("Taal", "Language"),
    "theme": ("Licht of donker", "Light or dark"),
    "panes": ("Wat te tonen", "What to show"),
    "loading": ("Een ogenblik: fiche wordt gestart …", "One moment: fiche is starting …"),
    "close": ("Sluiten", "Close"),
    # the chat
    "conversation": ("Gesprek", "Conversation"),
    "welcome": ("Wat wilt u weten?", "What would you like to know?"),
    "welcome_more": (
        "Stel een vraag in het Nederlands of Engels. Elke zin van het antwoord laat zien op welke woorden "
        "van het document hij rust. Wat er niet in staat, wordt niet beantwoord.",
        "Ask in Dutch or in English. Every sentence of an answer shows the words of the document it rests on. "
        "What the document does not say is not answered.",
    ),
    "examples": ("Bijvoorbeeld", "For example"),
    "ask": ("Stel uw vraag", "Your question"),
    "ask_hint": ("Bijvoorbeeld: wat vindt het kabinet hiervan?", "For example: what does the cabinet think of this?"),
    "send": ("Vraag", "Ask"),
    "searching": ("Aan het zoeken in het document …", "Searching the document …"),
    "you_asked": ("Uw vraag", "Your question"),
    "understood": ("Opgevat als:", "Understood as:"),
    "answer": ("Antwoord", "Answer"),
    "refusal": ("Geen antwoord", "No answer"),
    "confidence": ("Zekerheid {percent} %", "Confidence {percent}%"),
    "quoted": ("Letterlijk geciteerd", "Quoted word for word"),
    "quoted_dutch": ("Letterlijk geciteerd, in het Nederlands", "Quoted word for word, in Dutch"),
    "translated": ("Vertaald", "Translated"),
    "machine": ("Machinevertaling, door niemand nagelezen", "Machine translation, not reviewed"),
    "supported": ("Gesteund door een bron", "Supported by a source"),
    "checking": (
        "Het taalmodel schrijft; de volgende zin wordt nagekeken …",
        "The language model is writing; the next sentence is being checked …",
    ),
    "written_by": (
        "Geschreven door {model}. Cijfers, data, namen en strekking zijn met de bron vergeleken; "
        "het citaat geeft uitsluitsel.",
        "Written by {model}. Figures, dates, names and sense were compared with the source; its own words decide.",
    ),
    "dropped": (
        "Weggelaten omdat geen bron ze steunt: {count} van de zinnen die het model schreef.",
        "Left out, for no source supports them: {count} of the sentences that the model wrote.",
    ),
    "quoting_instead": (
        "Het taalmodel gaf geen bruikbaar antwoord; dit zijn de woorden van het document zelf.",
        "The language model gave no usable answer; these are the document’s own words.",
    ),
    "unsupported": ("Niet door een bron gesteund", "Not supported by a source"),
    "source_n": ("Bron {n}", "Source {n}"),
    "page": ("pagina {page}", "page {page}"),
    "footnote": ("voetnoot {number}", "footnote {number}"),
    "good": ("Goed antwoord", "Good answer"),
    "good_refusal": ("Terecht niet beantwoord", "Rightly not answered"),
    "bad": ("Geen goed antwoord", "Not a good answer"),
    "copy": ("Kopieer antwoord met bronnen", "Copy answer with sources"),
    "copied": ("Gekopieerd.", "Copied."),
    # the sources
    "sources": ("Bronnen", "Sources"),
    "sources_empty": (
        "Hier komen de passages te staan waarop een antwoord rust.",
        "The passages that an answer rests on will appear here.",
    ),
    "original": ("Nederlands", "Dutch"),
    "translation": ("Engels (vertaald)", "English (translated)"),
    "translation_machine": ("Engels (machinevertaling)", "English (machine translation)"),
    "no_translation": ("Hiervan is geen vertaling bekend.", "No translation of this is known."),
    "show": ("Bekijk in het document", "View in the document"),
    "nearest": ("Kwam het dichtst in de buurt", "Came nearest"),
    "why_not": ("Waarom dit niet genoeg was", "Why this was not enough"),
    "also": ("Ook gevonden", "Also found"),
    "reason_names": ("Het document noemt {names} nergens.", "The document does not mention {names} anywhere."),
    "reason_kind": (
        "De vraag wil {kind} weten, en dat staat niet in deze passage.",
        "The question wants {kind}, and this passage holds none.",
    ),
    "reason_far": (
        "Geen enkele zin van het document lijkt genoeg op de vraag.",
        "No sentence of the document is close enough to the question.",
    ),
    "reason_topic": (
        "De passage gaat over het onderwerp, maar er is te weinig reden om aan te nemen dat zij de vraag beantwoordt.",
        "The passage is on the subject, but there is too little reason to believe that it answers the question.",
    ),
    "kind_number": ("een aantal", "a number"),
    "kind_money": ("een bedrag", "an amount of money"),
    "kind_date": ("een datum", "a date"),
    "kind_actor": ("een persoon of instantie", "a person or body"),
    "kind_reason": ("een reden", "a reason"),
    "kind_purpose": ("een doel", "a purpose"),
    "kind_place": ("een plaats", "a place"),
    "kind_reference": ("een vindplaats", "a reference"),
    "kind_definition": ("een omschrijving", "a definition"),
    # the document
    "document": ("Document", "Document"),
    "outline": ("Inhoudsopgave", "Contents"),
    "footnotes": ("Voetnoten", "Footnotes"),
    "to_note": ("Naar voetnoot {number}", "To footnote {number}"),
    "back_to_text": ("Terug naar de tekst", "Back to the text"),
    "cited": ("Geciteerde zin", "Cited sentence"),
    "narrow": ("Beperk de vraag tot bepaalde documenten", "Limit the question to certain documents"),
    "all_documents": ("alle documenten", "all documents"),
    "since": ("Vanaf", "From"),
    "until": ("Tot en met", "Up to"),
    "ministry": ("Ministerie", "Ministry"),
    "which_document": ("Welk document", "Which document"),
    # what is kept
    "conversations": ("Gesprekken", "Conversations"),
    "new": ("Nieuw gesprek", "New conversation"),
    "find": ("Zoek in gesprekken", "Search conversations"),
    "kept_here": (
        "Gesprekken staan alleen in deze browser en worden nergens anders bewaard.",
        "Conversations are kept in this browser only, and nowhere else.",
    ),
    "delete": ("Verwijderen", "Delete"),
    "none_kept": ("Er zijn nog geen gesprekken.", "There are no conversations yet."),
    "none_found": ("Geen gesprek gevonden.", "No conversation found."),
    "export_markdown": ("Bewaar als Markdown", "Save as Markdown"),
    "export_json": ("Bewaar als JSON", "Save as JSON"),
    "storage_full": (
        "De browser kan dit gesprek niet bewaren: verwijder oudere gesprekken.",
        "The browser cannot keep this conversation: delete older ones.",
    ),
    # feedback
    "feedback_why": ("Wat was er niet goed?", "What was wrong?"),
    "wrong_passage": ("De verkeerde passage", "The wrong passage"),
    "wrong_answer": ("Een verkeerd antwoord", "A wrong answer"),
    "should_refuse": (
        "Het document zegt dit niet: er had geen antwoord moeten komen",
        "The document does not say this: it should have refused",
    ),
    "should_answer": (
        "Het staat er wel in: er had een antwoord moeten komen",
        "The document does say it: it should have answered",
    ),
    "pick": ("Wijs de juiste zin aan in het document", "Pick the right sentence in the document"),
    "picking": (
        "Kies een zin: klik of tik erop, of ga er met Tab naartoe en druk op Enter.",
        "Choose a sentence: click or tap it, or go to it with Tab and press Enter.",
    ),
    "picked": ("Aangewezen zin:", "Picked sentence:"),
    "feedback_send": ("Versturen", "Send"),
    "cancel": ("Annuleren", "Cancel"),
    "thanks": (
        "Dank u. Dit staat nu bij de evaluatievragen.",
        "Thank you. This is now among the evaluation questions.",
    ),
    # documents
    "documents_intro": (
        "Over deze documenten kunt u vragen stellen. Een document toevoegen kost enige tijd: elke zin wordt gelezen.",
        "These are the documents that you can ask about. Adding one takes a while: every sentence of it is read.",
    ),
    "size_value": (
        "{pages} pagina’s, {sentences} zinnen, {notes} voetnoten",
        "{pages} pages, {sentences} sentences, {notes} footnotes",
    ),
    "indexed": ("Geïndexeerd", "Indexed"),
    "model": ("Model", "Model"),
    "snapshot": ("Momentopname", "Snapshot"),
    "add_document": ("Document toevoegen of vervangen", "Add or replace a document"),
    "add_hint": (
        "PDF, Word (.docx), ODT, een webpagina, Markdown of tekst, hoogstens {megabytes} MB per bestand. Een document "
        "met dezelfde naam wordt vervangen.",
        "PDF, Word (.docx), ODT, a web page, Markdown or text, at most {megabytes} MB each. A document of the same "
        "name is replaced.",
    ),
    "fate_added": ("toegevoegd", "added"),
    "fate_replaced": ("vervangen", "replaced"),
    "fate_unchanged": ("stond er al precies zo in", "was there already, just so"),
    "fate_stopped": ("niet toegevoegd", "not added"),
    "choose_file": ("Bestand", "File"),
    "choose": ("Kies een bestand", "Choose a file"),
    "no_file": ("Nog geen bestand gekozen", "No file chosen yet"),
    "add": ("Toevoegen", "Add"),
    "read": ("Lezen", "Read"),
    "remove": ("Verwijderen", "Remove"),
    "remove_sure": ("„{name}” uit de index verwijderen?", "Remove “{name}” from the index?"),
    "busy": ("Bezig", "Working"),
    "done_index": ("De index is bijgewerkt.", "The index is up to date."),
    # evaluate
    "evaluate_intro": (
        "Laat alle vragen van een vragenset achter elkaar beantwoorden en zie wat goed gaat, wat fout gaat en wat er "
        "sinds een eerdere keer veranderd is.",
        "Ask every question of a set in turn, and see what goes right, what goes wrong, and what changed since an "
        "earlier run.",
    ),
    "set": ("Vragenset", "Question set"),
    "set_own": ("Eigen vragenset (JSON Lines)", "Your own question set (JSON Lines)"),
    "limit": ("Aantal vragen (leeg: alle)", "Number of questions (empty: all)"),
    "compare": ("Vergelijk met", "Compare with"),
    "compare_none": ("niets", "nothing"),
    "run": ("Uitvoeren", "Run"),
    "stop": ("Stoppen", "Stop"),
    "report": ("Uitkomst", "Outcome"),
    "runs": ("Eerdere keren", "Earlier runs"),
    "run_shown": ("Toon", "Show"),
    "feedback_set": ("Terugkoppeling", "Feedback"),
    "feedback_intro": (
        "Wat gebruikers van antwoorden vonden, als evaluatievragen. Een vraag die beantwoord moet worden, heeft een "
        "letterlijke zin uit het document nodig.",
        "What users thought of answers, as evaluation questions. A question that should be answered needs a verbatim "
        "sentence of the document.",
    ),
    "feedback_none": ("Er is nog geen terugkoppeling.", "There is no feedback yet."),
    "answerable": ("Moet beantwoord worden", "Should be answered"),
    "evidence": ("Letterlijke zin uit het document", "Verbatim sentence of the document"),
    "save": ("Bewaren", "Save"),
    "saved": ("Bewaard.", "Saved."),
    "incomplete": ("Er ontbreekt nog een zin", "A sentence is still missing"),
    "no_evaluation": ("Evalueren is niet geïnstalleerd.", "Evaluation is not installed."),
    # errors
    "too_many": (
        "Er komen te veel vragen tegelijk van dit adres: wacht een minuut en probeer het opnieuw.",
        "Too many questions come from this address at once: wait a minute and try again.",
    ),
    "failed": (
        "Er ging iets mis bij het beantwoorden. Probeer het nog eens; de beheerder vindt de oorzaak in het logboek.",
        "Something went wrong. Try again; the operator finds the cause in the log.",
    ),
    "question_long": (
        "De vraag is te lang: stel haar in hoogstens {most} tekens.",
        "The question is too long: ask it in at most {most} characters.",
    ),
    "question_empty": (
        "Hier valt niets te vragen: typ een vraag in woorden.",
        "There is nothing to ask here: type a question in words.",
    ),
    "refused_input": ("Dit kan niet: {reason}", "This cannot be done: {reason}"),
    "trouble": ("Dit kan niet. In het Engels: {reason}", "This cannot be done: {reason}"),
    "trouble_document": (
        "Dit document kan niet gelezen worden. In het Engels: {reason}",
        "This document cannot be read: {reason}",
    ),
    "trouble_index": (
        "De index kan niet gelezen worden. In het Engels: {reason}",
        "The index cannot be read: {reason}",
    ),
    "trouble_model": (
        "Het model kan niet geladen worden. In het Engels: {reason}",
        "The model cannot be loaded: {reason}",
    ),
    "offline": (
        "fiche is niet bereikbaar. Kijk of het programma nog draait, en laad deze pagina opnieuw.",
        "fiche cannot be reached. See whether the program still runs, and load this page again.",
    ),
}


def word(key: str, lang: Language, **values: object) -> str:
    """The word `key` in one language, its gaps filled."""
    return _WORDS[key][0 if lang == "nl" else 1].format(**values)


def both(key: str, **values: object) -> Markup:
    """The word `key` in both languages, of which the page shows one."""
    dutch, english = word(key, "nl", **values), word(key, "en", **values)
    return join(dutch) if dutch == english else pair({"nl": dutch, "en": english})


def pair(texts: Mapping[Language, str]) -> Markup:
    """A text in both languages, as `both` gives a word."""
    return join(tag("span", texts["nl"], class_="nl", lang="nl"), tag("span", texts["en"], class_="en", lang="en"))


def label(key: str, name: str = "label", **values: object) -> dict[str, Any]:
    """Attributes from which the page sets `aria-label`, or another named so, in its language."""
    return {f"data_{name}_nl": word(key, "nl", **values), f"data_{name}_en": word(key, "en", **values)}


def for_script() -> dict[str, tuple[str, str]]:
    """Every word, gaps and all, for what the page's script says by itself."""
    return dict(_WORDS)
