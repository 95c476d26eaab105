"""The README tells the truth: its commands exist, its transcript is real, its map is whole."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from ui.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_is_on_the_map() -> None:
    named = set(re.findall(r"`((?:index|index/formats|rag|ui|ui/web|evals)/\w+\.py)`", README))
    present = {
        str(path.relative_to(ROOT))
        for folder in ("index", "index/formats", "rag", "ui", "ui/web", "evals")
        for path in (ROOT / folder).glob("*.py")
        if path.name != "__init__.py"
    }
    assert named == present


def test_every_command_exists_and_is_named() -> None:
    group = get_command(app)
    commands = set(group.commands) - {"index"}  # type: ignore[attr-defined]
    commands |= {f"index {name}" for name in group.commands["index"].commands}  # type: ignore[attr-defined]
    commands |= {"doctor", "eval", "mcp", "translate", "ui"}
    named = set(re.findall(r"`fiche ((?:index )?[a-z]+)", README))
    assert named == commands


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"\bmake ([a-z-]+)\b(?= |`|$)", text):
            if target not in ("installs",):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_setting_is_one() -> None:
    from index.settings import Settings

    known = {f"FICHE_{name.upper()}" for name in Settings.model_fields} | {"FICHE_DEBUG"}
    assert set(re.findall(r"FICHE_[A-Z_]+", README)) == known


@pytest.mark.model
def test_the_transcript_is_real(home: Path) -> None:
    shown = re.search(r'\$ fiche ask "(.*)"\n(.*?)```', README, re.DOTALL)
    assert shown
    done = subprocess.run(
        [sys.executable, "-c", "from ui.cli import main; main()", "ask", shown[1]],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FICHE_HOME": str(home), "COLUMNS": "80"},
    )
    tidy = [line.rstrip() for line in done.stdout.strip().splitlines()]
    assert tidy == shown[2].strip().splitlines()


@pytest.mark.model
def test_the_python_example_runs(home: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    done = subprocess.run(
        [sys.executable, "-c", code[1]],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FICHE_HOME": str(home)},
    )
    assert done.stdout.rstrip().endswith("1g")


def test_the_figures_are_those_of_the_benchmark() -> None:
    figures = json.loads((ROOT / "evals/bench.json").read_text(encoding="utf-8"))
    table = README[README.index("<!-- figures -->") : README.index("<!-- /figures -->")]
    for name in ("success@1, nl", "success@1, en", "right quote, nl", "right quote, en"):
        for candidate in ("fiche", "plain"):
            if candidate in figures[name]:
                assert f"{figures[name][candidate][0]:.2f}" in table
