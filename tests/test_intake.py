"""Files that others made are read in a process of its own: every one gets its document or its reason, in time."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.errors import DocumentError
from index.exchange import document_from_json, document_from_line, document_to_json
from index.intake import find_files, read_brought, read_safely
from index.records import Document
from tests import hostile

MEBI = 1024 * 1024


@pytest.mark.parametrize("name", [name for name in hostile.HOSTILE if name != "flate-bom.pdf"])
def test_a_hostile_file_gets_its_reason(name: str, tmp_path: Path) -> None:
    path = hostile.make(tmp_path, name)
    began = time.monotonic()
    with pytest.raises(DocumentError, match=hostile.HOSTILE[name][1]) as caught:
        read_safely(path)
    assert time.monotonic() - began < 15
    assert len(str(caught.value).splitlines()) == 1
    assert not re.search(r"Traceback|Error\b|0x[0-9a-f]+", str(caught.value))


@pytest.mark.long
@pytest.mark.parametrize("name", ["flate-bom.pdf", *hostile.SLOW])
def test_no_file_takes_more_than_the_limits(name: str, tmp_path: Path) -> None:
    path = hostile.make(tmp_path, name)
    script = (
        "import resource, sys, time\nfrom pathlib import Path\nfrom index.errors import DocumentError\n"
        "from index.intake import read_safely\nbegan = time.monotonic()\ntry:\n    read_safely(Path(sys.argv[1]))\n"
        "except DocumentError:\n    pass\n"
        "print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    seconds, kibi = (float(word) for word in done.stdout.split())
    assert seconds < 30
    assert kibi < 1000 * 1024


def test_the_limits_hold(tmp_path: Path) -> None:
    """What the child may take is set in the child, before it opens the file."""
    from index import child

    script = (
        "import resource; from index import child; child._limit(); print(resource.getrlimit(resource.RLIMIT_AS)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == child.MEMORY
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != child.MEMORY


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.intake.TIME", 1)
    path = hostile.make(tmp_path, "regel.txt")
    began = time.monotonic()
    with pytest.raises(DocumentError, match="more than 1 seconds"):
        read_safely(path)
    assert time.monotonic() - began < 10


def test_what_lies_around_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of documents may hold a file called `index.py`."""
    (tmp_path / "index.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "nota.txt").write_text("1. Doel\n\nSchoon water.")
    monkeypatch.chdir(tmp_path)
    assert read_safely(Path("nota.txt")).text == "1. Doel\n\nSchoon water."


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "diep" / "dieper").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("Het kabinet is positief.")
    (tmp_path / "b.pdf").write_text("geen pdf")
    (tmp_path / "diep" / "c.md").write_text("# Nota\n\nTekst.")
    (tmp_path / "diep" / "dieper" / "a.html").write_text("<html><p>Nog een a.</p></html>")
    for ignored in ("foto.jpg", ".verborgen.txt", "~$slot.docx"):
        (tmp_path / ignored).write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "d.txt").write_text("x")
    found = list(read_brought(find_files([tmp_path, tmp_path / "a.txt"])))
    assert [(b.path.name, b.document.id if b.document else None) for b in found] == [
        ("a.txt", "a"),
        ("b.pdf", None),
        ("c.md", "c"),
        ("a.html", None),
    ]
    assert "would be called a, as" in found[3].reason


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pijp.pdf")
    with pytest.raises(DocumentError, match="name an existing file"):
        read_safely(tmp_path / "pijp.pdf")
    (tmp_path / "lus.txt").symlink_to(tmp_path / "lus.txt")
    assert [b.reason for b in read_brought([tmp_path / "lus.txt"])] != [""]


def test_a_document_survives_the_way_back(fiche: Document) -> None:
    line = json.dumps(document_to_json(fiche)).encode()
    assert document_from_json(json.loads(line)) == document_from_line(line) == fiche
    with pytest.raises(ValueError, match="title"):
        document_from_line(line.replace(b'"title"', b'"tittel"'))
