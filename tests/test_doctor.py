"""`fiche doctor` on installations that work, and on those that do not."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.settings import Settings, load_settings
from rag.language import Language
from tests.test_cli import run
from tests.test_translation import Endpoint, serve
from ui import doctor
from ui.doctor import Finding, examine

assert serve  # a fixture


def of(part: str, settings: Settings, lang: Language = "en") -> list[Finding]:
    return [finding for finding in examine(settings, lang) if finding.part == part]


def only(part: str, settings: Settings, lang: Language = "en") -> Finding:
    (found,) = of(part, settings, lang)
    return found


@pytest.mark.model
def test_a_sound_installation(home: Path) -> None:
    done = run(home, "doctor", env={"FICHE_LANG": "en"})
    shown = done.stdout.decode().splitlines()
    assert done.returncode == 0, done
    assert all(line.startswith("✓ ") for line in shown)
    assert any("The index is whole" in line and "1 documents" in line for line in shown)
    dutch = run(home, "doctor", "--json", env={"FICHE_LANG": "nl"}).stdout.decode().splitlines()
    found = [json.loads(line) for line in dutch]
    parts = ["python", "packages", "model", "disk", "index", "memories", "settings", "endpoint"]
    assert [line["part"] for line in found] == parts
    assert {line["mark"] for line in found} == {"ok"}
    assert any("De index is heel" in line["told"] for line in found)


@pytest.mark.model
def test_a_damaged_index_is_told_and_nothing_else_is_lost(home: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(home / "index", tmp_path / "index")
    largest = max((p for p in (tmp_path / "index").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(bytes(content))
    done = run(tmp_path, "doctor", "--json", env={"FICHE_LANG": "en"})
    found = {line["part"]: line for line in map(json.loads, done.stdout.decode().splitlines())}
    assert done.returncode == 1
    assert [part for part, line in found.items() if line["mark"] == "wrong"] == ["index"]
    assert largest.name in found["index"]["told"]
    assert "fiche index build" in found["index"]["told"]


def test_packages_that_are_old_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=99", "nergens-te-vinden", "rich>=1", 'x>1; extra=="y"'])
    told = [finding.told for finding in of("packages", load_settings(home=tmp_path))]
    assert [line.split(":")[0] for line in told] == [
        f"numpy {__import__('numpy').__version__} is not >=99",
        "nergens-te-vinden – is not *",
    ]


def test_a_reader_whose_files_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_digest", lambda folder: "0" * 16)
    found = only("model", load_settings(home=tmp_path), "nl")
    assert (found.mark, "installeer fiche opnieuw" in found.told) == ("wrong", True)


def test_a_home_that_is_no_folder_or_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert only("disk", load_settings(home=tmp_path / "file")).mark == "wrong"
    assert only("disk", load_settings(home=tmp_path / "new" / "er")).mark == "ok"
    monkeypatch.setattr(doctor, "_FREE_BYTES", 10**18)
    full = only("disk", load_settings(home=tmp_path))
    assert full.mark == "wrong"
    assert "set FICHE_HOME" in full.told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "0.0.0.0"}, "FICHE_AUTH"),  # noqa: S104
        ({"host": "0.0.0.0", "auth": "an:lang-genoeg", "rate": 0}, "FICHE_RATE"),  # noqa: S104
        ({"auth": "an:kort"}, "eight characters"),
        ({"log": "questions"}, "FICHE_LOG"),
        ({"llm": "gguf:x", "llm_url": "http://elders.example/v1"}, "https"),
    ],
)
def test_what_is_risky_is_said(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    found = only("settings", load_settings(home=tmp_path, **given))
    assert found.mark == "risk"
    assert words in found.told


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    assert only("settings", load_settings(home=tmp_path, auth="zonder-dubbelepunt")).mark == "wrong"
    assert only("settings", load_settings(home=tmp_path, auth="an:lang-genoeg")).mark == "ok"


def test_an_endpoint_that_answers_or_does_not(
    tmp_path: Path, serve: Callable[[Callable[[str], object]], Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(url: str) -> Finding:
        return only("endpoint", load_settings(home=tmp_path, llm="openai:x", llm_url=url, llm_key="geheim"))

    answering = look(serve(lambda _: "x").url)  # it knows POST only, and says so
    assert (answering.mark, "501" in answering.told) == ("ok", True)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(doctor, "_SECONDS", 1.0)
        began = time.monotonic()
        found = look(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert time.monotonic() - began < 30
    assert (found.mark, "does not answer within 1 seconds" in found.told) == ("wrong", True)
    for url in ("http://127.0.0.1:9/v1", "file:///etc/passwd", "geen adres"):
        assert look(url).mark == "wrong"
        assert "geheim" not in look(url).told
    assert only("endpoint", load_settings(home=tmp_path, llm="x")).mark == "wrong"
