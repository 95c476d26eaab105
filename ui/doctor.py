"""The command `fiche doctor`: looks at an installation, and says of each part whether it works and what to do.

Knows nothing of questions. Changes nothing, and reaches out to nothing but the language model's endpoint,
where one is set. Exit status 1 where something is wrong; what is only risky is said and does not count.
"""

import hashlib
import http.client
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.console import Console
from rich.text import Text

from index.build import index_store, known_translations, open_snapshot
from index.encoder import load_encoder, model_fingerprint, shipped_reader
from index.errors import FicheError
from index.onnx_reader import FILES
from index.settings import BUNDLED_MODEL, Settings, load_settings
from rag.language import Language
from rag.llm import PROVIDERS
from ui import terminal
from ui.messages import say

__all__ = ["Finding", "doctor", "examine"]

Mark = Literal["ok", "risk", "wrong"]
_MARKS: dict[Mark, tuple[str, str]] = {"ok": ("✓", "green"), "risk": ("!", "yellow"), "wrong": ("✗", "red")}
_LOCAL = ("127.0.0.1", "::1", "localhost")
_FREE_BYTES = 500_000_000
"""An index is made beside the one there is, so there must be room for two."""
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part."""

    part: str
    mark: Mark
    told: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a finding.")] = False,
) -> None:
    """Check this installation: versions, reader, index, disk, settings, endpoint; says what to do."""
    settings = load_settings()
    lang: Language = settings.lang if settings.lang != "auto" else "nl"
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    findings = []
    for finding in examine(settings, lang):
        findings.append(finding)
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)
        else:
            sign, colour = _MARKS[finding.mark]
            console.print(Text(f"{sign} ", style=colour) + Text(terminal.printable(finding.told)))
    if any(finding.mark == "wrong" for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings, lang: Language) -> Iterator[Finding]:
    """Every part in turn; one that cannot even be looked at is wrong, and stops no other."""
    parts: dict[str, Callable[[Settings, Language], Iterator[Finding]]] = {
        "python": _python,
        "packages": _packages,
        "model": _model,
        "disk": _disk,
        "index": _index,
        "memories": _memories,
        "settings": _settings,
        "endpoint": _endpoint,
    }
    for name, look in parts.items():
        try:
            yield from look(settings, lang)
        except FicheError as error:
            yield Finding(name, "wrong", error.dutch if lang == "nl" and error.dutch else str(error))
        except Exception as error:  # a doctor reports what he meets
            told = say("doctor_failed", lang, part=name, reason=f"{type(error).__name__}: {error}")
            yield Finding(name, "wrong", told)


def _found(part: str, mark: Mark, key: str, lang: Language, **values: object) -> Finding:
    return Finding(part, mark, say(key, lang, **values))


def _python(settings: Settings, lang: Language) -> Iterator[Finding]:
    wanted = str(metadata("fiche")["Requires-Python"] or "")
    running = ".".join(map(str, sys.version_info[:3]))
    right = SpecifierSet(wanted).contains(running, prereleases=True)
    key = "doctor_python" if right else "doctor_python_wrong"
    yield _found("python", "ok" if right else "wrong", key, lang, running=running, wanted=wanted)


def _packages(settings: Settings, lang: Language) -> Iterator[Finding]:
    wanted = [Requirement(line) for line in requires("fiche") or []]
    needed = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    wrong = 0
    for need in needed:
        try:
            there = version(need.name)
        except PackageNotFoundError:
            there = ""
        if not there or not need.specifier.contains(there, prereleases=True):
            wrong += 1
            values = {"package": need.name, "there": there or "–", "wanted": str(need.specifier) or "*"}
            yield _found("packages", "wrong", "doctor_package", lang, **values)
    if not wrong:
        yield _found("packages", "ok", "doctor_packages", lang, count=len(needed), fiche=version("fiche"))


def _model(settings: Settings, lang: Language) -> Iterator[Finding]:
    if settings.model == BUNDLED_MODEL and f"reader:{_digest(shipped_reader())}" != model_fingerprint(settings):
        yield _found("model", "wrong", "doctor_reader_damaged", lang, folder=shipped_reader())
        return
    encoder = load_encoder(settings)
    encoder.encode(["Wat is dit?"], query=True)
    key = "doctor_reader" if settings.model == BUNDLED_MODEL else "doctor_model"
    yield _found("model", "ok", key, lang, model=encoder.name, fingerprint=encoder.fingerprint)


def _digest(folder: Path) -> str:
    """What `reader.json` gives as the digest of the files beside it, as they are now."""
    found = hashlib.sha256()
    for name in FILES[:-1]:
        found.update((folder / name).read_bytes())
    return found.hexdigest()[:16]


def _disk(settings: Settings, lang: Language) -> Iterator[Finding]:
    home = settings.home.expanduser().absolute()
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    values = {"home": home, "free": f"{free / 1e9:.1f}".replace(".", "," if lang == "nl" else ".")}
    if not there.is_dir() or not _is_writable(there):
        yield _found("disk", "wrong", "doctor_readonly", lang, **values)
    elif free < _FREE_BYTES:
        yield _found("disk", "wrong", "doctor_disk_full", lang, **values)
    else:
        yield _found("disk", "ok", "doctor_disk", lang, **values)


def _is_writable(folder: Path) -> bool:
    """Tried, for permissions do not tell of a disk that is mounted read-only."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _index(settings: Settings, lang: Language) -> Iterator[Finding]:
    if not settings.store and not index_store(settings).exists():
        yield _found("index", "ok", "doctor_no_index", lang)
        return
    snapshot = open_snapshot(settings)
    index_store(settings).read(lambda *_: None, whole=True)  # opening looks at samples of what is large
    counts = snapshot.manifest.counts
    yield _found("index", "ok", "doctor_index", lang, files=len(snapshot.manifest.files), **_numbers(counts))


def _numbers(counts: Any) -> dict[str, object]:
    return {name: counts[name] for name in ("documents", "passages", "sentences")}


def _memories(settings: Settings, lang: Language) -> Iterator[Finding]:
    yield _found("memories", "ok", "doctor_memories", lang, count=len(known_translations(settings)))


def _settings(settings: Settings, lang: Language) -> Iterator[Finding]:
    from ui.web.serve import logins

    users = logins(settings)
    told = []
    if settings.host not in _LOCAL and not users:
        told.append(_found("settings", "risk", "doctor_open", lang, host=settings.host))
    if settings.host not in _LOCAL and not settings.rate:
        told.append(_found("settings", "risk", "doctor_no_rate", lang))
    if any(len(password) < 8 for _, password in users):
        told.append(_found("settings", "risk", "doctor_password", lang))
    if settings.log == "questions":
        told.append(_found("settings", "risk", "doctor_log", lang))
    if settings.llm_url.startswith("http://") and (urlsplit(settings.llm_url).hostname or "") not in _LOCAL:
        told.append(_found("settings", "risk", "doctor_plain_http", lang, url=settings.llm_url))
    yield from told or [_found("settings", "ok", "doctor_settings", lang)]


def _endpoint(settings: Settings, lang: Language) -> Iterator[Finding]:
    if not settings.llm:
        yield _found("endpoint", "ok", "doctor_no_llm", lang)
        return
    provider, _, name = settings.llm.partition(":")
    if provider not in PROVIDERS:  # a model in a file: nothing to reach
        there = Path(name).expanduser().is_file()
        key = "doctor_llm_file" if there else "doctor_llm_unknown"
        yield _found("endpoint", "ok" if there else "wrong", key, lang, llm=settings.llm)
        return
    url = (settings.llm_url or PROVIDERS[provider]).rstrip("/")
    pool = ThreadPoolExecutor(1)
    try:
        status = pool.submit(_status, url, settings.llm_key.get_secret_value()).result(timeout=_SECONDS)
    except (OSError, http.client.HTTPException, TooLate, ValueError) as error:
        values = {"url": url, "reason": type(error).__name__, "seconds": int(_SECONDS)}
        yield _found("endpoint", "wrong", "doctor_unreachable", lang, **values)
        return
    finally:
        pool.shutdown(wait=False)
    right = status not in (401, 403)
    key = "doctor_endpoint" if right else "doctor_key"
    yield _found("endpoint", "ok" if right else "wrong", key, lang, url=url, status=status, llm=settings.llm)


def _status(url: str, key: str) -> int:
    """The status that the endpoint's list of models has: whatever it is, something answers there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/models", headers={"Authorization": f"Bearer {key}"} if key else {})
        return connection.getresponse().status
    finally:
        connection.close()
