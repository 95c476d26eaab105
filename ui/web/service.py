"""What the page asks of the program: answers, documents, feedback, the index.

Knows nothing of Gradio. Keeps nothing of a conversation: the browser has it. A method that the
page calls takes one plain object and gives one back; an error becomes a sentence in it, and a line
in the log.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Literal, Self

from index.build import index_store
from index.records import Document
from index.settings import Settings
from rag.engine import Engine
from rag.question import MAX_QUESTION_CHARS
from rag.records import Answer
from rag.scope import Scope, read_scope
from ui.web.feedback import Feedback
from ui.web.jobs import Jobs
from ui.web.pages import document_html
from ui.web.trouble import sentence
from ui.web.turns import draft_html, make_turn, turn_error
from ui.web.words import pair

__all__ = ["Service", "told"]

Reply = dict[str, Any]
Method = Callable[..., Reply]


def told(method: Method) -> Method:
    """A method whose errors become `{"error": {"nl": …, "en": …}}`."""

    @wraps(method)
    def call(self: "Service", data: Any = None) -> Reply:
        try:
            return method(self, data if isinstance(data, dict) else {})
        except Exception as error:  # whatever goes wrong, the page gets a sentence and no trace
            return {"error": sentence(error)}

    return call


class Service:
    """Everything behind one page; serves many people at once.

    Without a login all of them are one `user`, the empty name. With one, documents are everybody's,
    and there is a service for each user, `of` the name, that keeps what they upload or say apart.
    """

    def __init__(self, settings: Settings, engine: Engine, user: str = "", jobs: Jobs | None = None) -> None:
        self.settings, self.engine, self.user = settings, engine, user
        self.jobs = jobs or Jobs()
        self.folder = settings.home / "users" / _folder_name(user) if user else settings.home
        self.kept = Feedback(self.folder, self._documents)
        self._users: dict[str, Self] = {}
        self._lock = threading.Lock()

    def of(self, user: str) -> Self:
        """The service as it is for a user that is logged in."""
        if user == self.user:
            return self
        with self._lock:
            if user not in self._users:
                self._users[user] = type(self)(self.settings, self.engine, user, self.jobs)
            return self._users[user]

    def _documents(self) -> Mapping[str, Document]:
        return self.engine.snapshot.documents

    def answer(self, data: Mapping[str, Any]) -> Iterator[Reply]:
        """A question's turn: at once that it is being worked on, then the turn itself."""
        typed = str(data.get("question", ""))[: MAX_QUESTION_CHARS + 1]
        lang: Literal["auto", "nl", "en"] = self.settings.lang
        yield {"stage": "searching", "seconds": self.settings.llm_seconds if self.engine.author else 0}
        turn: Reply = {}
        try:
            for step in self.engine.stream(typed, lang, _history(data), _scope(data)):
                if isinstance(step, Answer):
                    turn = make_turn(step, typed)
                else:
                    yield {"stage": "writing", "html": draft_html(step.writing.parts, step.citations, step.lang)}
        except Exception as error:  # as in `told`
            turn = turn_error(pair(sentence(error, typed)), typed)
        yield {"stage": "done", "turn": turn}

    @told
    def state(self, data: Reply) -> Reply:
        """What the index holds, and the user's own task."""
        snapshot = self.engine.snapshot
        manifest = snapshot.manifest
        return {
            "documents": [_about(document) for document in snapshot.documents.values()],
            "snapshot": manifest.snapshot,
            "created": manifest.created,
            "model": manifest.model,
            "where": str(index_store(self.settings).root),
            "job": self.jobs.state(self.user),
        }

    @told
    def document(self, data: Reply) -> Reply:
        """A document to read, by its `id`; the first where there is none of that name."""
        documents = self._documents()
        found = documents.get(str(data.get("id"))) or next(iter(documents.values()))
        return {**document_html(found), "snapshot": self.engine.snapshot.manifest.snapshot}

    @told
    def feedback(self, data: Reply) -> Reply:
        """Keep a verdict: `question`, `lang`, `verdict`, `quotes`, `document`."""
        given = data.get("quotes")
        quotes = [str(quote) for quote in given[:3]] if isinstance(given, list) else []
        question, lang, verdict = (str(data.get(name, "")) for name in ("question", "lang", "verdict"))
        self.kept.add(question, lang, verdict, quotes, str(data.get("document", "")))
        return {"ok": True}

    @told
    def feedback_change(self, data: Reply) -> Reply:
        """Change the line `id`, or remove it where `remove` is set."""
        identity = str(data.get("id"))
        if data.get("remove"):
            self.kept.remove(identity)
        else:
            evidence = str(data.get("evidence", "")).strip()
            question = str(data.get("question", ""))
            quotes = [evidence] if evidence else []
            self.kept.change(identity, question, answerable=bool(data.get("answerable")), quotes=quotes)
        return {"lines": self.kept.lines()}

    @told
    def job(self, data: Reply) -> Reply:
        """How far the user's own task is; with `stop`, stop it."""
        return self.jobs.stop(self.user) if data.get("stop") else self.jobs.state(self.user)


def _folder_name(user: str) -> str:
    """A name may hold anything, and a folder's may not."""
    return hashlib.sha256(user.encode()).hexdigest()[:16]


def _scope(data: Mapping[str, Any]) -> Scope:
    """The filter that the page sends along with a question."""
    given = data.get("scope")
    told = given if isinstance(given, dict) else {}
    document, since, until, ministry = (
        str(told.get(n) or "")[:300] for n in ("document", "since", "until", "ministry")
    )
    return read_scope([document], since, until, ministry)


def _history(data: Mapping[str, Any]) -> list[str]:
    """The questions before this one, as they were understood; the browser has them."""
    given = data.get("history")
    return [str(asked)[:MAX_QUESTION_CHARS] for asked in given[-4:]] if isinstance(given, list) else []


def _about(document: Document) -> Reply:
    return {
        "id": document.id,
        "title": document.title,
        "pages": document.pages,
        "sentences": sum(len(passage.sentences) for passage in document.passages),
        "notes": len(document.footnotes),
    }
