"""Every shell sample of the product documents, run by bash with curl and jq against a real platform.

The samples run in the order of their page and in one shell, as a reader would type them. Only host names, media URLs of
example.com and placeholders (YOUR_API_KEY and the like) are replaced.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gmicloud.local import LocalServer

from .conftest import Site

pytestmark = pytest.mark.timeout(180)  # real videos, up to ten seconds at 1080p
SEEDS = Path(__file__).with_name("seeds")
BEGINS = re.compile(r"\s*(export \w+=|curl |\w+=\$\(|until |unset |echo \$response \|)")
SUBMITS = re.compile(r"--request POST|-X POST")
SHOWN_ID = "550e8400-e29b-41d4-a716-446655440000"
BEFORE = """
set -o pipefail
curl() { command curl --fail-with-body --max-time 70 "$@"; }
sleep() { command sleep 0.2; }  # the monitor loop asks more often than once a second
# What a reader does between a submit and the next sample: note the id, and have a coffee.
noted() {
  REQUEST_ID=$(jq -r .request_id <<<"$1") && [ "$REQUEST_ID" != null ]
  [ "$2" ] || return 0
  for _ in 1 2; do
    curl -s "$QUEUE/requests/$REQUEST_ID?wait=60" -H "Authorization: Bearer $GMI_API_KEY" >/dev/null
  done
}
"""


@dataclass
class Ran:
    """One sample and what it printed."""

    text: str
    status: int
    out: str
    complaints: str

    def json(self) -> Any:
        return json.loads(self.out)


def samples(page: str) -> list[str]:
    """The commands of a page, whether fenced, indented or bare: each from its first line to where bash is content."""
    found: list[str] = []
    lines = iter(textwrap.dedent(page).splitlines())
    for line in lines:
        if not BEGINS.match(line):
            continue
        sample = line.strip()
        while sample.endswith("\\") or subprocess.run(["bash", "-n", "-c", sample], capture_output=True).returncode:
            sample += "\n" + next(lines)
        found.append(sample)
    return found


def run(name: str, server: LocalServer, site: Site, folder: Path, *, wait: bool) -> list[Ran]:
    """Run the samples of a page; with `wait` a submit is followed by a wait until its request is final."""
    page = (SEEDS / f"{name}.md").read_text("utf-8")
    for old, new in {
        "https://console.gmicloud.ai": server.base_url,
        "https://api.gmi-serving.com": server.base_url,
        "https://queue.gmi-serving.com": server.base_url,
        "https://example.com": site.url,
        "PUT YOUR IMAGE URL HERE": f"{site.url}/cat-photo.jpg",
        "YOUR_API_KEY": server.api_key,
        "<your-api-key>": server.api_key,
        "<your-org-id>": "00000000-0000-0000-0000-000000000000",
        f'requests/{SHOWN_ID}"': 'requests/$REQUEST_ID"',
    }.items():
        page = page.replace(old, new)
    found = samples(page)
    script = BEFORE
    for number, sample in enumerate(found):
        script += f"{{ {sample}\n}} >{number}.out 2>{number}.err; echo $? >{number}.status\n"
        if SUBMITS.search(sample):
            answer = '"$response"' if sample.startswith("response=") else f'"$(cat {number}.out)"'
            script += f"noted {answer} {'wait' if wait else ''}\n"
    bash = shutil.which("bash")
    assert bash is not None
    queue = f"{server.base_url}/api/v1/ie/requestqueue/apikey"
    environment = {"PATH": "/usr/bin:/bin", "GMI_API_KEY": server.api_key, "QUEUE": queue}
    subprocess.run([bash, "-c", script], cwd=folder, env=environment, timeout=150, check=False)
    return [
        Ran(
            sample,
            int((folder / f"{number}.status").read_text()),
            (folder / f"{number}.out").read_text(),
            (folder / f"{number}.err").read_text(),
        )
        for number, sample in enumerate(found)
    ]


def shown_answers(name: str) -> list[Any]:
    """The JSON answers that a page prints, as far as they are JSON."""
    decoder = json.JSONDecoder()
    page = (SEEDS / f"{name}.md").read_text("utf-8")
    found: list[Any] = []
    for start in re.finditer(r"^\{", page, re.MULTILINE):
        try:
            found.append(decoder.raw_decode(page, start.start())[0])
        except ValueError:
            continue  # shortened on the page with // or <dict>
    return found


def assert_like(shown: Any, real: Any, where: str = "") -> None:
    """Every key that the page shows is there, with a value of the same type."""
    assert type(real) is type(shown), where
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert key in real, f"{where}.{key}"
            assert_like(value, real[key], f"{where}.{key}")


def all_ran(ran: list[Ran]) -> None:
    for sample in ran:
        assert sample.status == 0, f"{sample.text}\n{sample.out}\n{sample.complaints}"


def test_the_api_reference_runs_as_printed(gmicloud_server: LocalServer, site: Site, tmp_path: Path) -> None:
    ran = run("api-reference", gmicloud_server, site, tmp_path, wait=False)
    all_ran(ran)
    assert len(ran) == 12
    by_start = {sample.text.split("\n")[-1].strip(): sample for sample in ran}
    models = [sample.json() for sample in ran if "apikey/models \\" in sample.text]
    for answer in models:
        assert {"Kling-Image2Video-V2.1-Master", "Luma-Ray2", "Veo3", "Veo3-Fast"} <= set(answer["model_ids"])
    assert len(models) == 2
    veo = next(sample.json() for sample in ran if "models/Veo3" in sample.text)
    assert (veo["model"], veo["org_id"]) == ("Veo3", "google")
    prompt = {p["name"]: p for p in veo["parameters"]}["prompt"]
    assert (prompt["display_name"], prompt["type"], prompt["required"]) == ("Text Prompt", "string", True)
    assert veo["detailed_description"].lower().startswith("# veo3 api usage guide")
    assert isinstance(veo["modalities"], dict)
    submitted = by_start["echo $response | jq ."].json()
    record, outcome = shown_answers("api-reference")[-2:]
    assert_like(
        {name: record[name] for name in ("request_id", "model", "status", "created_at", "queued_at")}, submitted
    )
    observed = next(s.json() for s in ran if s.text.startswith("curl --request GET \\") and "jq" not in s.text)
    assert observed["payload"]["durationSeconds"] == "8"
    assert observed["payload"]["seed"] is None
    statuses = next(sample.out.split() for sample in ran if sample.text.startswith("until"))
    assert statuses[-1] == "success"
    assert set(statuses) <= {"queued", "dispatched", "processing", "success"}
    assert_like(outcome, ran[-1].json())


def test_the_early_api_reference_runs_as_printed(gmicloud_server: LocalServer, site: Site, tmp_path: Path) -> None:
    ran = run("api-reference-early", gmicloud_server, site, tmp_path, wait=True)
    all_ran(ran)
    assert len(ran) == 5
    usual, early, _, status, result = ran
    assert usual.json()["data"][0]["object"] == "model"
    wan = next(model for model in early.json()["data"] if model["object"] == "Wan-AI/Wan2.1")
    assert wan["owned_by"] == "Wan-AI"
    assert {type(wan["id"]), type(wan["created"])} == {str, int}
    assert status.json()["status"] == "success"
    assert result.json()["video"]["url"].startswith(f"{gmicloud_server.base_url}/artifacts/")


@pytest.mark.parametrize("name", ["model-wan2.7-i2v", "model-skyreels-v4-image-to-video"])
def test_a_model_guide_runs_as_printed(gmicloud_server: LocalServer, site: Site, tmp_path: Path, name: str) -> None:
    ran = run(name, gmicloud_server, site, tmp_path, wait=True)
    all_ran(ran)
    assert len(ran) == 4
    submitted, observed, listed, models = (sample.json() for sample in ran)
    short, full = (answer for answer in shown_answers(name) if "request_id" in answer)
    assert_like(short, submitted)
    assert_like(full, observed)
    assert observed["status"] == "success"
    assert observed["payload"] == json.loads(json.dumps(full["payload"]).replace("https://example.com", site.url))
    assert observed["request_id"] in [record["request_id"] for record in listed["requests"]]
    assert {record["model"] for record in listed["requests"]} == {name.removeprefix("model-")}
    assert name.removeprefix("model-") in models["model_ids"]
