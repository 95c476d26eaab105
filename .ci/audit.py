"""The pinned packages → the advisories known of them, with `pip-audit`; fails on one that is not accepted.

`advisories.toml` beside this file says which are accepted and why. What is asked is the database of
open advisories (OSV), which is on the network: where it cannot be reached this says so, in one line,
and passes, for a check that needs a network would fail on a train. CI sets `AUDIT_REQUIRED=1` where it
has one, and then that is a failure.
"""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OSV = os.environ.get("AUDIT_URL", "https://api.osv.dev/v1/query")
SECONDS = 5
"""To wait for the first reply; what cannot be reached is given up soon."""


@dataclass(frozen=True)
class Advisory:
    """One advisory on one pinned package."""

    package: str
    version: str
    names: frozenset[str]
    """Its id and its aliases: databases call the same thing differently."""
    fixed: str


def main() -> int:
    """Audit, tell, and give the exit status."""
    accepted = _accepted(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("advisories.toml"))
    done = _ask(ROOT / "constraints.txt")
    found = _parse(done.stdout)
    if found is None:
        reason = (done.stderr.strip().splitlines() or ["pip-audit gave no reason"])[-1]
        print(f"audit: NOT DONE, the advisories at {OSV} could not be asked ({reason[:160]})")
        return int(bool(os.environ.get("AUDIT_REQUIRED")))
    return _tell(found, accepted)


def _accepted(path: Path) -> dict[str, dict[str, Any]]:
    """The entries by id; one without a reason, or whose day is over, is none."""
    entries = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", []):
        until = entry.get("until", date.min)
        if not str(entry.get("why", "")).strip() or until < datetime.now(UTC).date():
            print(f"audit: {entry.get('id')} has no reason, or is to be looked at again: see {path.name}")
        else:
            entries[entry["id"]] = entry
    return entries


def _ask(pins: Path) -> "subprocess.CompletedProcess[str]":
    """Nothing is installed or resolved for it: the pins say all."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--osv-url", OSV, "--timeout", str(SECONDS)]
    command += ["--format", "json", "--aliases", "on", "--progress-spinner", "off"]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def _parse(raw: str) -> list[Advisory] | None:
    """What was found; `None` where nothing was asked."""
    try:
        packages = json.loads(raw)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return [
        Advisory(
            package["name"],
            package["version"],
            frozenset([entry["id"], *entry.get("aliases", [])]),
            ", ".join(entry.get("fix_versions", [])) or "none yet",
        )
        for package in packages
        for entry in package.get("vulns", [])
    ]


def _tell(found: list[Advisory], accepted: dict[str, dict[str, Any]]) -> int:
    met: set[str] = set()
    failed = 0
    for advisory in found:
        name = "/".join(sorted(advisory.names))
        if known := advisory.names & set(accepted):
            met |= known
            print(f"audit: {advisory.package} {name} accepted: {accepted[min(known)]['why']}")
        else:
            failed += 1
            print(f"audit: {advisory.package} {advisory.version} has {name}; mended in {advisory.fixed}")
    for name in sorted(set(accepted) - met):
        print(f"audit: {name} no longer applies: take it out of advisories.toml")
    print(f"audit: {len(found)} advisories, {failed} of them not accepted")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
