"""Coverage-guided fuzzing of whatever reads what others wrote: `python -m tests.fuzz TARGET SECONDS`.

    pip install atheris; python -m tests.fuzz documents 600

Not part of any test run, for `atheris` does not exist for every Python. What it finds is written to
`tests/data/found`, where `tests/test_properties.py` tries it again in every run.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

FOUND = Path(__file__).parent / "data" / "found"


def _documents(raw: bytes) -> None:
    from index.errors import DocumentError
    from index.reader import read_text
    from tests.texts import as_text, check_document

    try:
        document = read_text(as_text(raw), "x")
    except DocumentError:
        return
    check_document(document)


def _sentences(raw: bytes) -> None:
    from index.sentences import split_sentences
    from tests.texts import check_sentences

    text = raw.decode("utf-8", "replace")
    check_sentences(text, split_sentences(text))


def _memories(raw: bytes) -> None:
    from index.errors import InputError
    from index.memory import TranslationMemory

    path = Path(tempfile.gettempdir()) / "fiche-fuzz.tmx"
    path.write_bytes(raw)
    try:
        memory = TranslationMemory.read(path)
    except InputError:
        return
    assert all(segment.source and segment.target for segment in memory)


def _sets(raw: bytes) -> None:
    from evals.sets import parse_lines

    lines = raw.split(b"\n")
    questions, problems = parse_lines(lines)
    assert len(questions) + len(problems) == sum(bool(line.strip()) for line in lines)


def _questions(raw: bytes) -> None:
    from index.errors import QuestionError
    from rag.language import detect_language
    from rag.question import clean_question

    try:
        asked = clean_question(raw.decode("utf-8", "surrogateescape"))
    except QuestionError:
        return
    assert asked == clean_question(asked)
    assert detect_language(asked) in ("nl", "en")


TARGETS: dict[str, tuple[Callable[[bytes], None], str]] = {
    "documents": (_documents, "txt"),
    "sentences": (_sentences, "txt"),
    "memories": (_memories, "tmx"),
    "sets": (_sets, "jsonl"),
    "questions": (_questions, "txt"),
}


def _seeds(target: str, folder: Path) -> None:
    """What is right, for the fuzzer to begin with."""
    root = Path(__file__).parent.parent
    if target == "memories":
        sources = [path.read_bytes()[:3000] + b"</body></tmx>" for path in (root / "index/corpus").glob("*.tmx")]
    elif target == "sets":
        sources = [b"\n".join((root / "evals/datasets/fiche.jsonl").read_bytes().split(b"\n")[:4])]
    elif target == "questions":
        lines = (root / "evals/datasets/fiche.jsonl").read_text(encoding="utf-8").splitlines()
        sources = [json.loads(line)["question"].encode() for line in lines[:40]]
    else:
        texts = [
            path.read_bytes() for path in [*(root / "tests/data").glob("*.txt"), *(root / "index/corpus").glob("*.txt")]
        ]
        sources = [text[at : at + 1500] for text in texts for at in range(0, min(len(text), 15_000), 1500)]
    for number, source in enumerate(sources):
        (folder / f"seed-{number}").write_bytes(source)


def main() -> None:
    """Fuzz a target for so many seconds; stops at the first find, and says where it was put."""
    import atheris

    target, seconds = sys.argv[1], sys.argv[2]
    check, suffix = TARGETS[target]
    with atheris.instrument_imports(include=["index", "evals.sets", "rag.question"]):
        import evals.sets
        import index.memory
        import index.reader
        import rag.question

        assert evals.sets
        assert index.memory
        assert index.reader
        assert rag.question

    def one(raw: bytes) -> None:
        try:
            check(raw)
        except Exception:
            FOUND.mkdir(parents=True, exist_ok=True)
            (FOUND / f"{target}-{hashlib.sha256(raw).hexdigest()[:8]}.{suffix}").write_bytes(raw)
            raise

    with tempfile.TemporaryDirectory() as folder:
        _seeds(target, Path(folder))
        atheris.Setup([sys.argv[0], folder, f"-max_total_time={seconds}", "-max_len=3000", "-timeout=10"], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
