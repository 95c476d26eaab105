"""Commands of fiche, each in a process of its own that begins at once and can be killed.

A server imports the program once and forks a process for each job, so that a thousand of them take
minutes. They run `ui.cli.main` as a user's command does, but the shipped reader is replaced by the
encoder that needs no model. A job may also let calls of the file system fail (`tests.faults`).
"""

import functools
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import Faults

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Done:
    """A command that has ended; status -1 where it was killed."""

    status: int
    out: str
    err: str
    calls: tuple[str, ...] = ()
    """The calls of the file system below the home, where faults were asked for."""

    @property
    def complaint(self) -> str:
        """The one line that a failing command says."""
        assert self.status in (1, 2), self
        assert "Traceback" not in self.err, self.err
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("fiche: "), self.err
        return lines[0]


class Children:
    """The server's other end."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._process, self._folder = process, folder

    def run(
        self,
        home: Path,
        *commands: Sequence[str],
        kill_after: float | None = None,
        env: Mapping[str, str] | None = None,
        faults: Mapping[str, Any] | None = None,
    ) -> list[Done]:
        """Run the commands one after another in one process; kill it after so many seconds, if given."""
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            job = {
                "commands": commands,
                "place": place,
                "env": {"FICHE_HOME": str(home), **(env or {})},
                "faults": {"root": str(home), **faults} if faults is not None else {},
            }
            pid = int(self._tell(job))
            timer = threading.Timer(kill_after or 0, _kill, [pid])
            if kill_after is not None:
                timer.start()
            self._read()  # it has ended
            timer.cancel()
            return [_done(Path(place), number) for number in range(len(commands))]

    def _tell(self, job: Mapping[str, Any]) -> bytes:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> bytes:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the server has ended"
        return line


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)


def _done(place: Path, number: int) -> Done:
    def said(name: str) -> str:
        path = place / f"{number}.{name}"
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""

    return Done(int(said("status") or -1), said("out"), said("err"), tuple(json.loads(said("calls") or "[]")))


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    """The server, for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.children"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith("FICHE_")},
    )
    try:
        yield Children(process, folder)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def _serve() -> None:
    """Fork a process for each line of standard input; say its number, and then that it has ended."""
    _prepare()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            _child(job)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


def _prepare() -> None:
    """Import what commands import, and put the encoder in the place of the reader."""
    import evals.cli
    import evals.report
    import rag.engine
    import ui.cli
    import ui.translate
    from index import onnx_reader
    from index.build import known_translations, shipped_document
    from index.encoder import model_fingerprint
    from index.settings import load_settings
    from rag.language import detect_language
    from tests.conftest import WordHashEncoder

    assert evals.cli
    assert evals.report
    assert rag.engine
    assert ui.cli
    assert ui.translate
    encoder = WordHashEncoder(model_fingerprint(load_settings()))
    encoder.dim = 384  # as the reader, whose means it is given
    encoder._vector = functools.cache(encoder._vector)  # type: ignore[method-assign]
    fiche = shipped_document()
    english = " ".join(known_translations(load_settings()).translations().values())
    encoder.encode([fiche.text, english], query=False)  # so that every child has these words already
    onnx_reader.OnnxReader = lambda folder: encoder  # type: ignore[assignment, misc]
    detect_language("Wat is dit?")


def _child(job: Mapping[str, Any]) -> None:
    os.setpgid(0, 0)
    os.environ.update(job["env"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faults = Faults(**job["faults"])
    if job["faults"]:
        faults.install()
    for number, command in enumerate(job["commands"]):
        # In memory, for a full disk would swallow the complaint about it.
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        status = _main(command)
        faults.end()
        base = Path(job["place"]) / str(number)
        Path(f"{base}.out").write_bytes(sys.stdout.buffer.getvalue())  # type: ignore[attr-defined]
        Path(f"{base}.err").write_bytes(sys.stderr.buffer.getvalue())  # type: ignore[attr-defined]
        Path(f"{base}.calls").write_text(json.dumps(faults.calls), encoding="utf-8")
        Path(f"{base}.status").write_text(str(status), encoding="utf-8")
    os._exit(0)


def _main(command: Sequence[str]) -> int:
    from ui.cli import main

    sys.argv = ["fiche", *command]
    try:
        main()
        return 0
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    _serve()
