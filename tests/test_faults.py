"""Whatever is killed, fails or rots while fiche works on its files: whole or refused, and never wrong.

In the spirit of "How SQLite Is Tested". Only the public commands are used, so none of this knows what
an index consists of. A few moments, calls and bits are tried in every run, all of them in the long one.
"""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from index.build import open_snapshot
from index.errors import SnapshotDamagedError
from index.reader import read_text
from index.settings import load_settings
from tests.children import Children, Done, children
from tests.citations import check_json
from tests.faults import ERRORS
from tests.test_translation import Endpoint, _segment, serve

assert serve  # a fixture

SMALL = "1. Inleiding\n\nHet kabinet is positief over de sluis. De Raad beslist in mei.\n\n2. Slot\n\nKlaar.\n"
OTHER = "1. Water\n\nDe gemeente Oosterwolde bouwt een zwembad van 12 miljoen euro.\n\n2. Einde\n\nMeer volgt.\n"
SHIPPED = "kst-22112-3908"
QUESTIONS = {
    "klein": "Is het kabinet positief over de sluis?",
    "ander": "Wat bouwt de gemeente Oosterwolde?",
    SHIPPED: "Welk ministerie is eerstverantwoordelijk?",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with children(tmp_path_factory.mktemp("children")) as found:
        yield found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, server: Children) -> Path:
    """A home whose index holds `klein`, and two files beside it."""
    place = tmp_path_factory.mktemp("prepared")
    (place / "klein.txt").write_text(SMALL, encoding="utf-8")
    (place / "ander.txt").write_text(OTHER, encoding="utf-8")
    (done,) = server.run(place / "home", ["index", "add", str(place / "klein.txt")])
    assert done.status == 0, done
    return place


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def ask(name: str) -> list[str]:
    return ["ask", "--json", "--lang", "nl", QUESTIONS[name]]


def held(home: Path) -> set[str]:
    return set(open_snapshot(load_settings(home=home), any_model=True).documents)


def works(server: Children, home: Path, states: Sequence[set[str]]) -> set[str]:
    """The documents of an index that is whole, is one of those states, and answers from its own words."""
    documents = open_snapshot(load_settings(home=home), any_model=True).documents
    name = sorted(documents, key=lambda name: name == SHIPPED)[0]
    info, answer = server.run(home, ["index", "info"], ask(name))
    assert info.status == 0, info
    assert answer.status == 0, answer
    assert set(documents) in states
    told = json.loads(answer.out)
    check_json(told, documents)
    words = set(QUESTIONS[name].rstrip("?").split())
    assert len(words & set(told["passages"][0]["text"].split())) >= 1
    return set(documents)


# --- killed ---


def killed(server: Children, place: Path, seed: int, moments: int) -> dict[str, int]:
    """Kill commands that change the index at random moments; how often each state came of it."""
    rng = random.Random(seed)
    home = place / "home"
    commands = [
        ["index", "build"],
        ["index", "add", str(place / "ander.txt")],
        ["index", "add", str(place / "klein.txt")],
        ["index", "remove", "ander"],
        ["index", "remove", "klein"],
    ]
    found: dict[str, int] = {}
    longest = {}
    for command in commands:  # how long each takes when it is left alone
        began = time.monotonic()
        server.run(home, command)
        longest[" ".join(command)] = time.monotonic() - began
    server.run(home, commands[1], commands[2])
    for _ in range(moments):
        before = held(home)
        command = rng.choice(commands)
        (done,) = server.run(home, command, kill_after=rng.uniform(0, longest[" ".join(command)]))
        after = {
            "build": {SHIPPED},
            "add": before | {Path(command[2]).stem if command[1] == "add" else ""},
            "remove": before - {command[2] if command[1] == "remove" else ""},
        }[command[1]]
        now = works(server, home, [before, after or before])
        outcome = "ended" if done.status >= 0 else "old" if now == before else "new"
        found[outcome] = found.get(outcome, 0) + 1
        if rng.random() < 0.2:
            server.run(home, commands[1], commands[2])
    (done,) = server.run(home, ["index", "build"])  # and the next one goes on
    assert done.status == 0, done
    works(server, home, [{SHIPPED}])
    return found


def test_a_killed_change_leaves_a_whole_index(server: Children, place: Path) -> None:
    found = killed(server, place, 1, 10)
    assert sum(found.values()) == 10
    assert found.get("old", 0) + found.get("new", 0) > 0, "nothing was killed in time"


@pytest.mark.long
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("seed", range(10))
def test_eight_hundred_killed_changes(server: Children, place: Path, seed: int) -> None:
    print(killed(server, place, 100 + seed, 80))


def killed_while_translating(server: Children, place: Path, serve: Any, seed: int, moments: int) -> None:
    """The memory is whole after each kill, what it has is not asked again, and in the end it is complete."""
    rng = random.Random(seed)
    text = (
        "1. Doel\n\n" + "".join(f"Dit is zin nummer {n} van het stuk. " for n in range(40)) + "\n\n2. Slot\n\nKlaar.\n"
    )
    (place / "lang.txt").write_text(text, encoding="utf-8")
    endpoint: Endpoint = serve(lambda asked: _slowly(_segment(asked)))
    env = {"FICHE_LLM": "openai:tiny", "FICHE_LLM_URL": endpoint.url}
    command = ["translate", str(place / "lang.txt")]
    memory = place / "home" / "memories" / "lang.tmx"
    for _ in range(moments):
        memory.unlink(missing_ok=True)
        server.run(place / "home", command, env=env, kill_after=rng.uniform(0.05, 1.5))
        kept = len(_units(memory))
        before = len(endpoint.asked)
        done, check = server.run(place / "home", command, [*command, "--check"], env=env)
        assert done.status == 0, done
        assert check.status == 0, check
        assert len(endpoint.asked) - before == len(_units(memory)) - kept, "what was kept is not asked again"
        works(server, place / "home", [{"klein"}])


def _slowly(segment: str) -> str:
    time.sleep(0.02)
    known = {"Doel": "Aim", "Slot": "End", "Klaar.": "Ready."}
    return known.get(segment) or segment.replace("Dit is zin nummer", "This is sentence number").replace(
        "van het stuk", "of the paper"
    )


def _units(memory: Path) -> list[Any]:
    from index.memory import TranslationMemory

    return list(TranslationMemory.read(memory)) if memory.exists() else []


def test_a_killed_translation_goes_on(server: Children, place: Path, serve: Any) -> None:
    killed_while_translating(server, place, serve, 2, 3)


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_a_hundred_killed_translations(server: Children, place: Path, serve: Any) -> None:
    killed_while_translating(server, place, serve, 20, 100)


def killed_while_evaluating(server: Children, place: Path, seed: int, moments: int) -> None:
    """A run that was killed goes on where it was, and comes to the figures that it would have come to."""
    rng = random.Random(seed)
    lines = [
        {"id": f"vraag_{n}-nl", "question": f"Is het kabinet positief over sluis {n}?", "lang": "nl",
         "answerable": True, "evidence": ["Het kabinet is positief over de sluis."], "facts": []}
        for n in range(60)
    ]  # fmt: skip
    questions = place / "vragen.jsonl"
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def evaluate(name: str) -> list[str]:
        return ["eval", str(questions), "--run", str(place / name)]

    began = time.monotonic()
    (whole,) = server.run(place / "home", evaluate("heel"))
    longest = time.monotonic() - began
    assert whole.status == 0, whole
    expected = _figures(place / "heel")
    for moment in range(moments):
        name = f"run-{moment}"
        server.run(place / "home", evaluate(name), kill_after=rng.uniform(0, longest))
        (done,) = server.run(place / "home", evaluate(name))
        assert done.status == 0, done
        assert _figures(place / name) == expected
        results = (place / name / "results.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["id"] for line in results] == [line["id"] for line in lines]
        shutil.rmtree(place / name)
    works(server, place / "home", [{"klein"}])


def _figures(folder: Path) -> Any:
    """The figures of a run but for those of the clock."""
    groups = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["groups"]
    return {
        group: {k: v for k, v in found.items() if "ms" not in k and "second" not in k}
        for group, found in groups.items()
    }


def test_a_killed_evaluation_goes_on(server: Children, place: Path) -> None:
    killed_while_evaluating(server, place, 3, 2)


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_a_hundred_killed_evaluations(server: Children, place: Path) -> None:
    killed_while_evaluating(server, place, 30, 100)


# --- calls that fail ---


def call_fails(server: Children, place: Path, command: Sequence[str], after: set[str], **faults: Any) -> Done:
    """One call fails: one line and the old index, or the fault did no harm and the new one is there."""
    home = place / "tried"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(place / "home", home)
    (done,) = server.run(home, command, faults=faults)
    about = f"{faults}, call {done.calls[faults['at'] - 1] if len(done.calls) >= faults['at'] else 'not made'}"
    try:
        if done.status == 0:
            works(server, home, [after])
        else:
            assert done.complaint
            works(server, home, [{"klein"}, after])
            (again,) = server.run(home, command)  # the next one goes on
            assert again.status == 0, again
            works(server, home, [after])
    except BaseException as error:
        error.add_note(f"after {' '.join(command)} with {about}; it said {done}")
        raise
    return done


def calls_of(server: Children, place: Path, command: Sequence[str]) -> tuple[str, ...]:
    home = place / "counted"
    shutil.copytree(place / "home", home)
    (done,) = server.run(home, command, faults={"at": 0})
    assert done.status == 0, done
    return done.calls


def commands(place: Path) -> dict[str, tuple[list[str], set[str]]]:
    return {
        "build": (["index", "build"], {SHIPPED}),
        "add": (["index", "add", str(place / "ander.txt")], {"klein", "ander"}),
    }


@pytest.mark.parametrize("name", ["build", "add"])
def test_calls_of_a_build_fail(server: Children, place: Path, name: str) -> None:
    """A sample; the long test below tries each."""
    command, after = commands(place)[name]
    calls = calls_of(server, place, command)
    assert len(calls) > 50
    assert {"open", "os.fsync", "os.rename", "os.mkdir"} <= {call.split()[0] for call in calls}
    rng = random.Random(name)
    failed = 0
    for at in sorted(rng.sample(range(1, len(calls) + 1), 5)):
        failed += call_fails(server, place, command, after, at=at, code=rng.choice(ERRORS)).status != 0
    for how in ("full", "readonly"):
        done = call_fails(server, place, command, after, at=1, how=how)
        assert "cannot be written" in done.complaint
        failed += 1
    assert failed >= 3


@pytest.mark.long
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("how", ["once", "full", "readonly"])
@pytest.mark.parametrize("name", ["build", "add"])
def test_every_call_of_a_build_fails(server: Children, place: Path, name: str, how: str) -> None:
    command, after = commands(place)[name]
    calls = calls_of(server, place, command)
    statuses = [
        call_fails(server, place, command, after, at=at, code=ERRORS[at % len(ERRORS)], how=how).status
        for at in range(1, len(calls) + 1)
    ]
    print(f"{len(calls)} calls, {sum(map(bool, statuses))} of which failed the command")
    assert sum(map(bool, statuses)) > len(calls) / 4


# --- rot ---


def files_of(home: Path) -> list[Path]:
    """Every file below an index that has anything in it."""
    return sorted(path for path in (home / "index").rglob("*") if path.is_file() and path.stat().st_size)


def answer_of(done: Done) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(done.out)
    del told["timings_ms"]
    return told


def rotten(server: Children, home: Path, path: Path, content: bytes, expected: dict[str, Any]) -> bool:
    """Put other bytes in a file: refused and the file named, or, if nobody needs it, answered as before."""
    whole = path.read_bytes()
    assert content != whole
    path.write_bytes(content)
    try:
        info, answer = server.run(home, ["index", "info"], ask("klein"))
        if info.status == 0:
            assert answer_of(answer) == expected, "a file that is not refused changes nothing"
            return False
        assert info.status == 2
        assert path.name in info.complaint or path.name == "CURRENT", info.complaint
        assert "fiche index build" in info.complaint
        if answer.status == 0:  # a part that this question does not need may be met later
            assert answer_of(answer) == expected
        else:
            assert "fiche index build" in answer.complaint
        return True
    except BaseException as error:
        error.add_note(f"with {path} spoilt")
        raise
    finally:
        path.write_bytes(whole)


def flips(server: Children, home: Path, seed: int, count: int) -> tuple[int, int]:
    """Flip so many bits, one at a time, over every file in turn; how many were tried and refused."""
    rng = random.Random(seed)
    expected = answer_of(server.run(home, ask("klein"))[0])
    files = files_of(home)
    rng.shuffle(files)
    refused = 0
    for number in range(count):
        path = files[number % len(files)]
        content = bytearray(path.read_bytes())
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        refused += rotten(server, home, path, bytes(content), expected)
    return count, refused


def test_a_flipped_bit_is_found(server: Children, place: Path) -> None:
    tried, refused = flips(server, place / "home", 5, 12)
    assert refused > tried / 2


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_five_hundred_flipped_bits(server: Children, place: Path) -> None:
    tried, refused = flips(server, place / "home", 50, 500)
    print(f"{tried} flips, {refused} refused, the others in files that nobody needs")
    assert refused > tried / 2


DAMAGE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "cut": lambda own, other: own[: len(own) // 2],
    "emptied": lambda own, other: b"",
    "garbage": lambda own, other: random.Random(0).randbytes(len(own)),
    "longer": lambda own, other: own + b"\n",
    "another's": lambda own, other: other,
}


def damaged(server: Children, place: Path, pick: Callable[[list[Path]], list[Path]]) -> int:
    """Every kind of damage to the files picked, those of another index among them."""
    home, other = place / "home", place / "other"
    server.run(other, ["index", "add", str(place / "ander.txt")])
    strange = {path.name: path.read_bytes() for path in files_of(other)}
    expected = answer_of(server.run(home, ask("klein"))[0])
    refused = 0
    for path in pick(files_of(home)):
        own = path.read_bytes()
        for damage in DAMAGE.values():
            if (content := damage(own, strange.get(path.name, b"?"))) != own:
                refused += rotten(server, home, path, content, expected)
    return refused


def test_a_spoilt_file_is_refused(server: Children, place: Path) -> None:
    assert damaged(server, place, lambda files: random.Random(7).sample(files, 2)) > 0


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_every_spoilt_file_is_refused(server: Children, place: Path) -> None:
    assert damaged(server, place, lambda files: files) > 50


def test_info_reads_what_opening_only_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large to be read whole at each opening is read whole when somebody asks."""
    from index import build, files
    from tests.conftest import WordHashEncoder
    from ui.cli import info

    encoder = WordHashEncoder()
    monkeypatch.setattr(files, "LARGE", 1)
    monkeypatch.setattr(files, "_SAMPLE", 0)
    monkeypatch.setattr(build, "model_fingerprint", lambda _: encoder.fingerprint)
    monkeypatch.setenv("FICHE_HOME", str(tmp_path))
    settings = load_settings()
    build.build_index(settings, encoder, [read_text(SMALL, "klein")])
    info()
    sampled = [path for path in files_of(tmp_path) if path.suffix in files._IN_PLACES]
    assert sampled
    for path in sampled:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        original = path.read_bytes()
        path.write_bytes(bytes(whole))
        with pytest.raises(SnapshotDamagedError, match=path.name.replace(".", r"\.")):
            info()
        path.write_bytes(original)
    info()
