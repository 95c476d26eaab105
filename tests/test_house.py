"""The rules of the house that no linter knows."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    p
    for f in ("index", "index/formats", "rag", "ui", "ui/web", "evals", "evals/reader")
    for p in (ROOT / f).glob("*.py")
)
HEAVY = {
    "faiss": {"index/vectors.py"},
    "sentence_transformers": {"index/general.py"},
    "onnxruntime": {"index/onnx_reader.py", "evals/reader/graphs.py"},
    "torch": {
        f"evals/reader/{name}.py" for name in ("__main__", "answering", "export", "graphs", "holdout", "retrieval")
    },
    "defusedxml": {"index/memory.py"},
    "docx": {"index/formats/word.py"},
    "pymilvus": {"index/milvus.py"},
    "ray": {"index/ray_workers.py"},
    "httpx": {"rag/llm.py"},
    "lingua": {"rag/language.py"},
    "llama_index": {
        *(
            "rag/llama.py",
            "rag/llama_llm.py",
            "rag/author.py",
            "rag/rewriting.py",
            "rag/writing.py",
            "evals/engines.py",
        ),
    },
    "lxml": {"index/formats/trees.py"},
    "markdown_it": {"index/formats/markdown.py"},
    "matplotlib": {"evals/plots.py"},
    "ir_measures": {"evals/relevance.py"},
    "sklearn": {"evals/calibrate.py", "evals/reader/holdout.py"},
    "gradio": {"ui/web/app.py"},
    "fastapi": {"ui/web/app.py"},
    "mcp": {"ui/web/assistants.py"},
    "starlette": {"ui/web/app.py"},
    "uvicorn": {"ui/web/serve.py"},
    "xllamacpp": {"rag/gguf.py"},
    "typer": {
        *("ui/cli.py", "ui/doctor.py", "ui/translate.py", "ui/web/serve.py"),
        *(
            "evals/cli.py",
            "evals/bench.py",
            "evals/check.py",
            "evals/calibrate.py",
            "evals/followups.py",
            "evals/scale.py",
            "evals/transfer.py",
            "evals/company.py",
            "evals/reader/__main__.py",
            "evals/grounding.py",
            "evals/injection.py",
            "evals/written.py",
        ),
    },
    "pypdfium2": {"index/formats/pdf.py"},
    "prompt_toolkit": {"ui/chat.py"},
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("library", HEAVY)
def test_one_heavy_library_one_file(library: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in FILES if library in imports(path)}
    assert users == HEAVY[library]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 310
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 45, f"{node.name} has {length} lines"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name not in ("__init__.py", "__main__.py")], ids=lambda p: p.stem
)
def test_all_names_are_there_and_nothing_is_pickled(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "import pickle" not in text
    assert "allow_pickle=True" not in text
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert all(hasattr(module, name) for name in module.__all__)
    assert module.__doc__


def test_importing_does_nothing_to_the_world(tmp_path: Path) -> None:
    script = (
        "import os, sys; before = dict(os.environ)\n"
        "import index.encoder, index.build, rag.engine, ui.cli\n"
        "os.environ.pop('KMP_DUPLICATE_LIB_OK', None)  # which faiss sets\n"
        "assert dict(os.environ) == before\n"
        "assert not {'torch', 'llama_index', 'onnxruntime', 'gradio'} & set(sys.modules)\n"
    )
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, env=env)
    assert not [p for p in tmp_path.rglob("*") if "fiche" in p.name]
