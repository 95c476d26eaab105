"""What the Documents and Evaluate tabs ask of the program; as `service`, and knows nothing of Gradio."""

import base64
import binascii
import re
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from index.build import compare_with_index, extend_index, remove_documents
from index.errors import InputError
from index.intake import read_safely
from index.reader import document_id
from index.records import Document
from index.snapshot import Progress
from ui.web.markup import Markup, escape
from ui.web.service import Reply, Service, told

__all__ = ["MAX_UPLOAD_BYTES", "Keeping"]

MAX_UPLOAD_BYTES = 10_000_000
"""Of a document or a set."""


class Keeping(Service):
    """A service that also changes the index and runs sets."""

    @told
    def add_document(self, data: Reply) -> Reply:
        """Begin to index a file: `name`, and `content` in base64; `fate` says what it comes to."""
        document = _read(str(data.get("name", "")), _bytes(data))
        fate = compare_with_index(self.settings, [document])[document.id]
        if fate != "unchanged":
            self.jobs.start("index", lambda progress: self._extend(document, progress), self.user)
        return {**self.jobs.state(self.user), "id": document.id, "fate": fate}

    def _extend(self, document: Document, progress: Progress) -> str:
        extend_index(self.settings, self.engine.encoder, [document], progress)
        return document.id

    @told
    def remove_document(self, data: Reply) -> Reply:
        """Begin to make the index without the document `id`."""
        identity = str(data.get("id"))

        def task(progress: Progress) -> str:
            remove_documents(self.settings, self.engine.encoder, [identity], progress)
            return identity

        return self.jobs.start("index", task, self.user)

    @told
    def evaluation(self, data: Reply) -> Reply:
        """The sets and runs there are; nothing where no evaluation is installed."""
        panel = self._panel()
        if panel is None:
            return {"installed": False, "sets": [], "runs": [], "lines": []}
        return {"installed": True, "sets": panel.sets(), "runs": panel.runs(), "lines": self.kept.lines()}

    @told
    def add_set(self, data: Reply) -> Reply:
        """Keep an uploaded set: `name`, and `content` in base64."""
        return {"name": self._needed_panel().add_set(str(data.get("name", "")), _bytes(data))}

    @told
    def run_set(self, data: Reply) -> Reply:
        """Begin to run the set `name`, at most `limit` questions of it, compared with the run `earlier`."""
        panel = self._needed_panel()
        name, earlier = str(data.get("name", "")), str(data.get("earlier") or "")
        limit = int(data["limit"]) if str(data.get("limit") or "").isdigit() else None
        return self.jobs.start("run", lambda progress: panel.run(name, limit or None, earlier, progress), self.user)

    @told
    def report(self, data: Reply) -> Reply:
        """The report of the run `name` in `lang`, for a frame that shares nothing with the page."""
        lang = "nl" if data.get("lang") == "nl" else "en"
        page = self._needed_panel().report(str(data.get("name", "")), lang)
        return {"frame": _frame(page, str(data.get("title", "")))}

    def _panel(self) -> Any:
        found = list(entry_points(group="fiche.panels", name="evaluation"))
        return found[0].load()(self.folder, self.engine) if found else None

    def _needed_panel(self) -> Any:
        panel = self._panel()
        if panel is None:
            raise InputError(
                "evaluation is not installed: install fiche whole",
                "evalueren is niet geïnstalleerd. Installeer fiche in zijn geheel.",
            )
        return panel


def _frame(page: str, title: str) -> Markup:
    """A frame with a page of its own origin in it: its script can filter its rows and reach nothing else."""
    return Markup(f'<iframe sandbox="allow-scripts" title="{escape(title)}" srcdoc="{escape(page)}"></iframe>')


def _bytes(data: Reply) -> bytes:
    try:
        raw = base64.b64decode(str(data.get("content", "")), validate=True)
    except binascii.Error as error:
        raise InputError(
            "the file did not arrive whole: try again", "het bestand kwam niet heel over. Probeer het nog eens."
        ) from error
    if len(raw) > MAX_UPLOAD_BYTES:
        most = MAX_UPLOAD_BYTES // 1_000_000
        raise InputError(
            f"the file has {len(raw):,} bytes, more than {MAX_UPLOAD_BYTES:,}: split it first",
            f"het bestand is groter dan {most} MB. Splits het eerst.",
        )
    return raw


def _read(name: str, raw: bytes) -> Document:
    """A document out of uploaded bytes, read with limits; its name is a name only, never a path."""
    base = re.split(r"[\\/]", name)[-1][:200] or "document.txt"
    with TemporaryDirectory(prefix="fiche-") as folder:
        path = Path(folder) / f"document{Path(base).suffix[:10]}"
        path.write_bytes(raw)
        return read_safely(path, document_id(Path(base)))
