"""The dependency audit, against a database of advisories on loopback."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parent.parent / ".ci" / "audit.py"
ADVISORY = {
    "id": "GHSA-test-test-test",
    "aliases": ["CVE-2026-0001"],
    "summary": "It can be made to fall over.",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "httpx"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database that knows one advisory, on httpx."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {"vulns": [ADVISORY]} if asked["package"]["name"] == "httpx" else {}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(known).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def audit(url: str, accepted: Path, **env: str) -> Any:
    return subprocess.run(
        [sys.executable, str(AUDIT), str(accepted)],
        capture_output=True, text=True, check=False, env={**os.environ, "AUDIT_URL": url, **env},
    )  # fmt: skip


def entry(path: Path, name: str, why: str = "It is asked of nobody.", until: str = "2099-01-01") -> Path:
    path.write_text(f'[[accepted]]\nid = "{name}"\nwhy = "{why}"\nuntil = {until}\n', encoding="utf-8")
    return path


def test_an_advisory_fails_unless_it_is_accepted_with_a_reason(database: str, tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text("", encoding="utf-8")
    done = audit(database, tmp_path / "none.toml")
    assert done.returncode == 1, done
    assert "httpx 0.28.1 has CVE-2026-0001/GHSA-test-test-test; mended in 99.0" in done.stdout
    done = audit(database, entry(tmp_path / "a.toml", "CVE-2026-0001"))
    assert done.returncode == 0, done
    assert "accepted: It is asked of nobody." in done.stdout
    for path in (
        entry(tmp_path / "b.toml", "CVE-2026-0001", why=" "),
        entry(tmp_path / "c.toml", "CVE-2026-0001", until="2020-01-01"),
    ):
        assert audit(database, path).returncode == 1
    done = audit(database, entry(tmp_path / "d.toml", "CVE-1999-9"))
    assert "CVE-1999-9 no longer applies" in done.stdout


def test_what_could_not_be_asked_is_said(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/v1/query"
    done = audit(nowhere, AUDIT.with_name("advisories.toml"))
    assert done.returncode == 0, done
    assert done.stdout.startswith(f"audit: NOT DONE, the advisories at {nowhere} could not be asked")
    assert audit(nowhere, AUDIT.with_name("advisories.toml"), AUDIT_REQUIRED="1").returncode == 1
