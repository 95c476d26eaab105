"""The command line, run as a user runs it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.build import open_snapshot
from index.records import Document
from index.settings import load_settings
from tests.citations import check_json

pytestmark = pytest.mark.model

FICHE = [sys.executable, "-c", "from ui.cli import main; main()"]


def run(
    home: Path, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*FICHE, *args],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "FICHE_HOME": str(home), **(env or {})},
    )
    if args[:2] == ("ask", "--json") and done.stdout:
        documents = open_snapshot(load_settings(home=home), any_model=True).documents
        for line in done.stdout.splitlines():
            check_json(json.loads(line), documents)
    return done


def complaint(done: subprocess.CompletedProcess[bytes], status: int) -> str:
    """The one line on standard error that goes with an exit status."""
    text = done.stderr.decode()
    assert done.returncode == status, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    return text


def test_an_answer_on_the_terminal(home: Path) -> None:
    done = run(home, "ask", "Welk ministerie is verantwoordelijk?")
    shown = done.stdout.decode()
    assert done.returncode == 0
    assert done.stderr == b""
    assert "Ministerie van Economische Zaken en Klimaat [1]" in " ".join(shown.split())
    assert "pagina 1 · 1g Eerstverantwoordelijk ministerie" in shown
    assert "»Ministerie van Economische Zaken en Klimaat«" in shown


def test_many_questions_as_json(home: Path, fiche: Document) -> None:
    asked = ["Welk ministerie is verantwoordelijk?", "Which ministry is responsible?", "erwtensoep met rookworst"]
    done = run(home, "ask", "--json", "-", stdin="\r\n".join(asked).encode() + b"\n")
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert done.returncode == 0
    assert [line["question"] for line in lines] == asked
    assert [line["lang"] for line in lines] == ["nl", "en", "nl"]
    assert lines[2]["abstained"]
    for line in lines[:2]:
        quote = line["citations"][0]
        assert fiche.text[quote["start"] : quote["end"]] == quote["quote"]
        assert set(quote) == {"n", "document", "page", "section", "quote", "start", "end", "translation"}


def test_a_bad_line_does_not_stop_the_stream(home: Path) -> None:
    done = run(home, "ask", "--json", "-", stdin=b"Welk ministerie?\n\nCOM-nummer?\n\xff\xfe\nRechtsbasis?\n")
    assert done.returncode == 2
    asked = [json.loads(line)["question"] for line in done.stdout.decode().splitlines()]
    assert asked == ["Welk ministerie?", "COM-nummer?", "Rechtsbasis?"]
    complaints = done.stderr.decode().strip().splitlines()
    assert [line.split(":")[1].strip() for line in complaints] == ["line 2", "line 4"]


def test_answers_come_one_by_one(home: Path) -> None:
    process = subprocess.Popen(
        [*FICHE, "ask", "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "FICHE_HOME": str(home)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for question in ("Welk ministerie?", "COM-nummer?"):
        process.stdin.write(question.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["question"] == question
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["ask", ""], "the question is empty"),
        (["ask", " \t "], "the question is empty"),
        (["ask", "\x1b[31m\u202e"], "the question is empty"),
        (["ask", "x" * 100_000], "the question has 100,000 characters"),
        (["show", "kst-0"], "no document 'kst-0' in the index: it holds kst-22112-3908"),
        (["index", "add", "/nowhere/x.txt"], "no document at /nowhere/x.txt"),
    ],
)
def test_bad_input_is_one_line(home: Path, args: list[str], reason: str) -> None:
    assert reason in complaint(run(home, *args), 2)


def test_a_bad_setting_is_one_line(home: Path) -> None:
    assert "FICHE_LANG is 'fr'" in complaint(run(home, "ask", "Welk ministerie?", env={"FICHE_LANG": "fr"}), 2)
    message = complaint(run(home, "ask", "Welk ministerie?", env={"FICHE_MODEL": "/nowhere"}), 2)
    assert "fiche index build" in message


def test_an_index_tells_of_itself(home: Path, fiche: Document) -> None:
    shown = " ".join(run(home, "index", "info").stdout.decode().split())
    told = json.loads(run(home, "index", "info", "--json").stdout)
    sentences = sum(len(passage.sentences) for passage in fiche.passages)
    assert f"search exact: each of the {sentences} sentences is scored" in shown
    assert f"nearest exact (FAISS Flat, {sentences} vectors)" in shown
    assert told["search"]["kind"] == "exact"
    assert told["counts"]["documents"] == len(told["documents"]) == 1
    assert told["documents"][0] == {"id": fiche.id, "title": fiche.title}


def test_no_index_to_inspect(tmp_path: Path) -> None:
    assert "there is no index" in complaint(run(tmp_path, "index", "info"), 2)


def test_a_damaged_index_is_refused(home: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(home / "index", tmp_path / "index")
    vectors = next(tmp_path.glob("index/segments/*/vectors.faiss"))
    content = bytearray(vectors.read_bytes())
    content[len(content) // 2] ^= 1
    vectors.write_bytes(bytes(content))
    message = complaint(run(tmp_path, "ask", "Welk ministerie?"), 2)
    assert "vectors.faiss is damaged: run 'fiche index build'" in message


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = run(tmp_path / "file", "index", "build").stderr.decode().strip()
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1


def test_a_full_disk_is_one_line(home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 400; exec "$@"', "-", *FICHE, "index", "build"],
        capture_output=True,
        check=False,
        env={**os.environ, "FICHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "cannot be written" in complaint(done, 1)
    assert run(home, "index", "info").returncode == 0


def test_interrupting_is_one_line(home: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*FICHE, "index", "build"], stderr=subprocess.PIPE, env={**os.environ, "FICHE_HOME": str(home)}
    )
    time.sleep(9)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert b"Traceback" not in error
    assert len(error.decode().strip().splitlines()) <= 1
    assert run(home, "index", "info").returncode == 0


def test_show(home: Path, tmp_path: Path, fiche: Document) -> None:
    assert run(home, "show", "kst-22112-3908", "--text").stdout.decode() == fiche.text + "\n"
    outline = run(tmp_path, "show", "kst-22112-3908", "--outline").stdout.decode()
    assert "3b" in outline
    assert "Beoordeling + inzet" in outline
    whole = run(home, "show", "kst-22112-3908").stdout.decode()
    assert "COM(2024) 28" in whole
    assert "17 footnotes" in whole


def test_an_added_document_is_asked(tmp_path: Path, home: Path) -> None:
    (tmp_path / "models").symlink_to(home / "models")
    text = "1. Inleiding\n\nDe gemeente Oosterwolde bouwt in 2031 een zwembad van 12 miljoen euro.\n\n2. Slot\n\nKlaar."
    (tmp_path / "zwembad.txt").write_text(text, encoding="utf-8")
    assert run(tmp_path, "index", "add", str(tmp_path / "zwembad.txt")).returncode == 0
    done = run(tmp_path, "ask", "--json", "Wanneer bouwt Oosterwolde een zwembad?")
    passages = json.loads(done.stdout)["passages"]
    assert {p["text"] for p in passages} <= set(text.split("\n\n"))
    assert "2031" in passages[0]["text"]


def test_chat_answers_until_the_input_ends(home: Path) -> None:
    done = run(home, "chat", stdin=b"Welk ministerie?\n\n?!\nWhich council?\n/stop\nnooit\n")
    shown = done.stdout.decode()
    assert done.returncode == 0
    assert "Ministerie van Economische Zaken en Klimaat" in shown
    assert "Raad Vervoer" in shown
    assert "nooit" not in shown
    assert done.stderr.decode().strip().startswith("fiche: the question is empty")


def test_a_closed_pipe_is_no_error(home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "-", *FICHE, "show", "kst-22112-3908", "--text"],
        capture_output=True,
        check=False,
        env={**os.environ, "FICHE_HOME": str(home)},
    )
    assert done.stderr == b""


def test_a_folder_is_added_and_told_of(tmp_path: Path, home: Path) -> None:
    drawer = tmp_path / "lade"
    drawer.mkdir()
    (drawer / "zwembad.md").write_text(
        "# Zwembad\n\n## Bouw\n\nOosterwolde bouwt in 2031 een zwembad.", encoding="utf-8"
    )
    (drawer / "brug.html").write_text("<html><h1>Brug</h1><p>De brug is rood.</p></html>", encoding="utf-8")
    (drawer / "kapot.pdf").write_bytes(b"%PDF-1.7\nkapot")
    first = run(tmp_path, "index", "add", str(drawer))
    assert first.returncode == 1
    lines = first.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["failed", "added", "added"]
    assert "kapot.pdf: it is damaged" in lines[0]
    assert first.stderr == b""
    snapshot = (tmp_path / "index" / "CURRENT").read_bytes()
    (drawer / "kapot.pdf").unlink()
    again = run(tmp_path, "index", "add", str(drawer))
    assert again.returncode == 0
    assert [line.split()[0] for line in again.stdout.decode().splitlines()[:2]] == ["unchanged", "unchanged"]
    assert (tmp_path / "index" / "CURRENT").read_bytes() == snapshot
    (drawer / "zwembad.md").write_text("# Zwembad\n\nHet plan is ingetrokken.", encoding="utf-8")
    changed = run(tmp_path, "index", "add", str(drawer)).stdout.decode().splitlines()
    assert [line.split()[:2] for line in changed[:2]] == [["unchanged", "brug"], ["replaced", "zwembad"]]
    assert "2031" not in run(tmp_path, "show", "zwembad", "--text").stdout.decode()
    listed = run(tmp_path, "index", "list").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == ["name", "brug", "zwembad"]
    assert complaint(run(tmp_path, "index", "add", str(tmp_path / "index" / "snapshots")), 2).startswith(
        "fiche: no documents"
    )


def test_questions_over_several_documents(tmp_path: Path) -> None:
    for name, day, where in (("oost", "2024-05-01", "Zutphen"), ("west", "2025-06-01", "Haarlem")):
        text = (
            f"---\ndate: {day}\nministerie: Ministerie van {where}\n---\n# Nota {name}\n\nHet zwembad staat in {where}."
        )
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    home = tmp_path / "home"
    assert run(home, "index", "add", str(tmp_path / "oost.md"), str(tmp_path / "west.md")).returncode == 0
    question = "In welke plaats staat het zwembad?"
    for options, document in (
        (["--document", "west"], "west"),
        (["--until", "2024-12-31"], "oost"),
        (["--since", "2025-06-01"], "west"),
        (["--ministry", "zutphen"], "oost"),
    ):
        found = json.loads(run(home, "ask", "--json", *options, question).stdout)
        assert {p["document"] for p in found["passages"]} == {document}
        assert {c["document"] for c in found["citations"]} <= {document}
    assert "west (Nota west)" in run(home, "ask", "--document", "west", question).stdout.decode()
    for options, reason in (
        (["--since", "2030-01-01"], "no document dated since 2030-01-01"),
        (["--since", "morgen"], "--since is 'morgen', which is no date"),
        (["--document", "noord"], "no document 'noord' in the index: it holds oost, west"),
    ):
        assert reason in complaint(run(home, "ask", *options, question), 2)
