"""The words that the interface itself says, in Dutch and English; knows nothing of documents."""

from rag.language import Language

__all__ = ["say"]

_MESSAGES: dict[str, dict[Language, str]] = {
    "page": {"nl": "pagina", "en": "page"},
    "footnote": {"nl": "voetnoot", "en": "footnote"},
    "confidence": {"nl": "Zekerheid: {percent} %", "en": "Confidence: {percent}%"},
    "understood": {"nl": "Opgevat als: {question}", "en": "Understood as: {question}"},
    "checking": {
        "nl": "Het taalmodel schrijft; de volgende zin wordt nagekeken …",
        "en": "The language model is writing; the next sentence is being checked …",
    },
    "quoted": {"nl": "letterlijk geciteerd", "en": "quoted word for word"},
    "translated": {"nl": "vertaald", "en": "translated"},
    "supported": {"nl": "gesteund door {sources}", "en": "supported by {sources}"},
    "written": {
        "nl": "Geschreven door {model}. Cijfers, data, namen en strekking zijn met de bron vergeleken; "
        "het citaat geeft uitsluitsel.",
        "en": "Written by {model}. Figures, dates, names and sense were compared with the source; "
        "its own words decide.",
    },
    "dropped": {
        "nl": "Weggelaten omdat geen bron ze steunt: {count} van de zinnen die het model schreef.",
        "en": "Left out, for no source supports them: {count} of the sentences that the model wrote.",
    },
    "quoting_instead": {
        "nl": "Het taalmodel gaf geen bruikbaar antwoord; dit zijn de woorden van het document zelf.",
        "en": "The language model gave no usable answer; these are the document's own words.",
    },
    "nearest": {"nl": "Wat het dichtst in de buurt komt:", "en": "What comes nearest:"},
    "chat_welcome": {
        "nl": "Stel uw vraag in het Nederlands of Engels. Stoppen: Ctrl-D of /stop.",
        "en": "Ask in Dutch or English. To stop: Ctrl-D or /stop.",
    },
    "serving": {
        "nl": "fiche staat klaar op {address}. Stoppen: Ctrl-C.",
        "en": "fiche is ready at {address}. To stop: Ctrl-C.",
    },
    "building": {
        "nl": "Er is nog geen index; die wordt nu gemaakt.",
        "en": "There is no index yet; making one now.",
    },
    "doctor_python": {
        "nl": "Python {running} is geschikt ({wanted}).",
        "en": "Python {running} will do ({wanted}).",
    },
    "doctor_python_wrong": {
        "nl": "Python {running} voldoet niet aan {wanted}: maak .venv opnieuw met een nieuwere Python.",
        "en": "Python {running} is not {wanted}: make .venv anew with a newer Python.",
    },
    "doctor_packages": {
        "nl": "fiche {fiche}, en alle {count} pakketten hebben de juiste versie.",
        "en": "fiche {fiche}, and all {count} packages have the right version.",
    },
    "doctor_package": {
        "nl": "{package} {there} is niet {wanted}: installeer fiche opnieuw "
        "(pip install --constraint constraints.txt .).",
        "en": "{package} {there} is not {wanted}: install fiche again (pip install --constraint constraints.txt .).",
    },
    "doctor_reader": {
        "nl": "De meegeleverde lezer werkt ({fingerprint}).",
        "en": "The reader that comes with fiche works ({fingerprint}).",
    },
    "doctor_reader_damaged": {
        "nl": "De bestanden in {folder} zijn niet die van de meegeleverde lezer: installeer fiche opnieuw.",
        "en": "The files in {folder} are not those of the reader that comes with fiche: install fiche again.",
    },
    "doctor_model": {
        "nl": "Het model {model} werkt ({fingerprint}).",
        "en": "The model {model} works ({fingerprint}).",
    },
    "doctor_disk": {
        "nl": "{home} is beschrijfbaar en heeft {free} GB vrij.",
        "en": "{home} can be written and has {free} GB free.",
    },
    "doctor_disk_full": {
        "nl": "{home} heeft nog maar {free} GB vrij: maak ruimte, of zet FICHE_HOME op een andere schijf.",
        "en": "{home} has only {free} GB free: make room, or set FICHE_HOME to another disk.",
    },
    "doctor_readonly": {
        "nl": "{home} is niet beschrijfbaar: pas de rechten aan, of kies met FICHE_HOME een andere map.",
        "en": "{home} cannot be written: change its permissions, or choose another folder with FICHE_HOME.",
    },
    "doctor_index": {
        "nl": "De index is heel: {files} bestanden nagekeken, {documents} documenten, {passages} passages, "
        "{sentences} zinnen.",
        "en": "The index is whole: {files} files checked, {documents} documents, {passages} passages, "
        "{sentences} sentences.",
    },
    "doctor_no_index": {
        "nl": "Er is nog geen index; de eerste vraag maakt er een (of: fiche index build).",
        "en": "There is no index yet; the first question makes one (or: fiche index build).",
    },
    "doctor_memories": {
        "nl": "De vertaalgeheugens zijn leesbaar: {count} segmenten.",
        "en": "The translation memories can be read: {count} segments.",
    },
    "doctor_settings": {
        "nl": "De instellingen zijn in orde.",
        "en": "The settings are in order.",
    },
    "doctor_open": {
        "nl": "Iedereen die {host} bereikt, kan fiche gebruiken: stel FICHE_AUTH in om een login te vragen.",
        "en": "Everyone who reaches {host} can use fiche: set FICHE_AUTH to ask for a login.",
    },
    "doctor_no_rate": {
        "nl": "Er is geen limiet op het aantal verzoeken: haal FICHE_RATE=0 weg.",
        "en": "Requests have no limit: unset FICHE_RATE=0.",
    },
    "doctor_password": {
        "nl": "Een wachtwoord in FICHE_AUTH is korter dan acht tekens: kies een langer.",
        "en": "A password in FICHE_AUTH has fewer than eight characters: choose a longer one.",
    },
    "doctor_log": {
        "nl": "Het logboek bewaart de vragen van gebruikers: zet FICHE_LOG op events als dat niet nodig is.",
        "en": "The log keeps what users ask: set FICHE_LOG to events where that is not needed.",
    },
    "doctor_plain_http": {
        "nl": "Tekst van documenten gaat onversleuteld naar {url}: gebruik https in FICHE_LLM_URL.",
        "en": "Text of documents goes to {url} unencrypted: use https in FICHE_LLM_URL.",
    },
    "doctor_no_llm": {
        "nl": "Er is geen taalmodel ingesteld; dat hoeft ook niet.",
        "en": "No language model is set, and none is needed.",
    },
    "doctor_llm_file": {
        "nl": "Het taalmodel {llm} is een bestand dat er is.",
        "en": "The language model {llm} is a file that is there.",
    },
    "doctor_llm_unknown": {
        "nl": "FICHE_LLM={llm} wijst naar niets: geef openai:MODEL of ollama:MODEL, of haal het weg.",
        "en": "FICHE_LLM={llm} leads nowhere: give openai:MODEL or ollama:MODEL, or unset it.",
    },
    "doctor_endpoint": {
        "nl": "{url} antwoordt ({status}); {llm} kan gevraagd worden.",
        "en": "{url} answers ({status}); {llm} can be asked.",
    },
    "doctor_key": {
        "nl": "{url} weigert de sleutel ({status}): controleer FICHE_LLM_KEY.",
        "en": "{url} refuses the key ({status}): check FICHE_LLM_KEY.",
    },
    "doctor_unreachable": {
        "nl": "{url} antwoordt niet binnen {seconds} seconden ({reason}): controleer FICHE_LLM_URL, "
        "of haal FICHE_LLM weg.",
        "en": "{url} does not answer within {seconds} seconds ({reason}): check FICHE_LLM_URL, or unset FICHE_LLM.",
    },
    "doctor_failed": {
        "nl": "{part} kon niet worden nagekeken ({reason}): installeer fiche opnieuw.",
        "en": "{part} could not be checked ({reason}): install fiche again.",
    },
}


def say(key: str, lang: Language, **values: object) -> str:
    """The message `key` in a language, its gaps filled."""
    return _MESSAGES[key][lang].format(**values)
