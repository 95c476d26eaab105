"""The words of the report in Dutch; the English ones stand where they are said.

Knows nothing of figures. A text that has no Dutch here (a tag, an id) is the same in both languages.
"""

from collections.abc import Callable

from rag.language import Language

__all__ = ["DUTCH", "wording"]

DUTCH: dict[str, str] = {
    # measures
    "success@1": "eerste passage goed",
    "the first passage holds the evidence": "de eerste passage bevat het bewijs",
    "success@5": "bij de eerste vijf",
    "one of the first five passages does": "een van de eerste vijf passages bevat het",
    "rr": "wederkerige rang",
    "one over the rank of the first passage that does": "één gedeeld door de rang van de eerste passage die het bevat",
    "ndcg@10": "ndcg@10",
    "discounted gain of the first ten passages": "opbrengst van de eerste tien passages, lager gewogen naar rang",
    "right quote": "juist citaat",
    "a cited sentence holds the evidence (citation recall)": "een geciteerde zin bevat het bewijs (citation recall)",
    "citation precision": "citaatprecisie",
    "the share of citations that hold the evidence": "het deel van de citaten dat het bewijs bevat",
    "first quote": "eerste citaat goed",
    "the first cited sentence holds the evidence": "de eerste geciteerde zin bevat het bewijs",
    "quotes": "citaten",
    "sentences cited in an answer": "geciteerde zinnen per antwoord",
    "facts": "feiten",
    "all facts are in the answer": "alle feiten staan in het antwoord",
    "language": "taal",
    "the answer, Dutch quotations in it aside, is in the question's language": "het antwoord is, Nederlandse citaten "
    "daargelaten, in de taal van de vraag",
    "refused": "geweigerd",
    "an unanswerable question is refused (refusal recall)": "een vraag waarop het document geen antwoord geeft, wordt "
    "geweigerd (refusal recall)",
    "false refusals": "onterecht geweigerd",
    "an answerable question is refused": "een vraag waarop het document wel antwoord geeft, wordt geweigerd",
    "verbatim": "letterlijk",
    "every quote stands in the document, letter by letter": "elk citaat staat letter voor letter in het document",
    "planted words said": "ingefluisterd gezegd",
    "a word that an attack planted is said, outside quotations": "een woord dat een aanval heeft ingefluisterd, wordt "
    "buiten citaten gezegd",
    "agreement": "overeenstemming",
    "both wordings of a pair cite the same sentence first": "beide verwoordingen van een paar citeren dezelfde zin "
    "eerst",
    "refusal precision": "weigerprecisie",
    "of the refusals, the share that was right": "het deel van de weigeringen dat terecht was",
    "refusal f1": "weigeren, f1",
    "harmonic mean of refusal precision and recall": "harmonisch gemiddelde van weigerprecisie en geweigerd",
    "ece": "ijkfout (ece)",
    "expected calibration error of the answers given (Guo et al. 2017)": "verwachte ijkfout van de gegeven antwoorden "
    "(Guo e.a. 2017)",
    "p50 ms": "p50 (ms)",
    "median time of an answer": "mediaan van de antwoordtijd",
    "p95 ms": "p95 (ms)",
    "time that 95 % of the answers stay below": "tijd waar 95 % van de antwoorden onder blijft",
    # groups and outcomes
    "test, Dutch": "test, Nederlands",
    "test, English": "test, Engels",
    "all": "alle",
    "both": "beide",
    "right": "goed",
    "wrong": "fout",
    "invented": "verzonnen",
    # the page
    "{n} questions": "{n} vragen",
    "model {name}": "model {name}",
    "index {name}": "index {name}",
    "The small figures are the 95 % interval, from a bootstrap over pairs.": "De kleine cijfers zijn het "
    "95 %-interval, uit een bootstrap over paren.",
    "Thresholds were set on the dev split only; the test split was used for nothing but these figures.": "Drempels "
    "zijn alleen op het dev-deel bepaald; het test-deel is voor niets anders gebruikt dan deze cijfers.",
    "Headline": "In het kort",
    "Against {name}": "Vergeleken met {name}",
    "before": "eerder",
    "after": "nu",
    "change": "verschil",
    "Questions that flipped, by tag": "Omgeslagen vragen, per label",
    "{n} became right": "{n} werden goed",
    "{n} became wrong": "{n} werden fout",
    "Plots": "Grafieken",
    "Right quote and refusals by tag (number of questions), with intervals": "Juist citaat en weigeringen per label "
    "(aantal vragen), met intervallen",
    "Is an answer at 0.8 right in 80 % of cases?": "Is een antwoord met zekerheid 0,8 in 80 % van de gevallen goed?",
    "Time of an answer": "Antwoordtijd",
    "By tag": "Per label",
    "questions": "vragen",
    "Questions": "Vragen",
    "Search": "Zoek",
    "Outcome": "Uitkomst",
    "Language": "Taal",
    "Split": "Deel",
    "Tag": "Label",
    "{shown} of {all}": "{shown} van {all}",
    "confidence {value}": "zekerheid {value}",
    "Asked after": "Gevraagd na",
    "Answer": "Antwoord",
    "Cited words": "Geciteerde woorden",
    "Evidence": "Bewijs",
    "The document does not answer this.": "Het document geeft hierop geen antwoord.",
    "Passages": "Passages",
    # plots
    "confidence": "zekerheid",
    "share that is right": "deel dat goed is",
    "milliseconds (slower ones in the last bar)": "milliseconden (tragere in de laatste staaf)",
    "became right": "werd goed",
    "became wrong": "werd fout",
    # what is wrong with a line of a set
    "it is empty": "zij is leeg",
    "the line is no JSON object": "de regel is geen JSON-object",
    "the question is empty": "de vraag is leeg",
    "an answerable question needs evidence": "bij een vraag die beantwoord moet worden, hoort bewijs",
    "facts is no list": "facts is geen lijst",
}


def wording(lang: Language) -> Callable[..., str]:
    """A function that says an English text in `lang`, its gaps filled."""

    def say(text: str, **values: object) -> str:
        found = DUTCH.get(text, text) if lang == "nl" else text
        return found.format(**values) if values else found

    return say
