"""`rushes doctor`: what this machine lacks, and how to get it."""

import json
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from rushes.cli.failure import CommandFailed
from rushes.platform.doctor import doctor


def run_doctor(data: Path, as_json: bool) -> None:
    """Raises CommandFailed when something that is needed is missing."""
    findings = doctor(data)
    missing = [finding for finding in findings if not finding.ok and not finding.optional]
    if as_json:
        typer.echo(json.dumps({"ok": not missing, "findings": [asdict(finding) for finding in findings]}))
    else:
        console = Console(highlight=False)
        for finding in findings:
            mark = "ok     " if finding.ok else "without" if finding.optional else "missing"
            colour = "green" if finding.ok else "yellow" if finding.optional else "red"
            console.print(f"[{colour}]{mark}[/] {finding.name}: ", end="")
            console.print(finding.detail, markup=False)
            if not finding.ok and finding.remedy:
                console.print(f"        {finding.remedy}", markup=False)
    if missing:
        raise CommandFailed(f"{len(missing)} of {len(findings)} things are missing")
