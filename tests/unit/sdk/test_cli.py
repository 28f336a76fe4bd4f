"""The command line, in process against a scripted server, and its bars."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gmicloud import GetRequestResponse
from gmicloud.cli import main
from gmicloud.progress import ProgressBars, describe

from tests.unit.sdk.conftest import KEY, MP4, PNG, Reply, Wire

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("GMI_API_KEY", KEY)
    monkeypatch.setenv("GMI_BASE_URL", wire.url)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_generate_uploads_waits_and_saves(wire: Wire, run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    target = tmp_path / "out.mp4"
    code, out, err = run(
        "generate", "wan2.7-i2v", "-p", "x", "-s", f"first_frame={picture}", "-s", "duration:=5", "-o", str(target)
    )
    assert (code, out, target.read_bytes()) == (0, f"{target}\n", MP4)
    assert err.splitlines() == [
        "request request-0",
        "wan2.7-i2v: queued",
        "wan2.7-i2v: processing",
        "wan2.7-i2v: success",
    ]
    payload = next(call.json for call in wire.calls if call.path.endswith("/requests"))["payload"]
    assert payload["duration"] == 5
    assert payload["first_frame"].startswith("http")


def test_json_is_the_only_thing_on_standard_output(run: Run) -> None:
    code, out, err = run("generate", "wan2.7-i2v", "-p", "x", "--json")
    assert (code, json.loads(out)["status"], err) == (0, "success", "")


def test_a_payload_may_come_from_a_file_or_standard_input(
    wire: Wire, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"prompt": "from a file", "seed": 7}')
    assert run("generate", "wan2.7-i2v", "--payload", str(file), "--no-wait")[:2] == (0, "request-0\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"prompt": "piped"}'))
    assert run("generate", "wan2.7-i2v", "--payload", "-", "--no-wait")[0] == 0
    assert [call.json["payload"] for call in wire.calls] == [{"prompt": "from a file", "seed": 7}, {"prompt": "piped"}]


def test_an_estimate_submits_nothing(wire: Wire, run: Run) -> None:
    assert run("generate", "wan2.7-i2v", "-p", "x", "--estimate")[1].startswith("0.15 USD")
    assert wire.submitted == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-s", "duration"], "must look like key=value"),
        (["-s", "duration:=five"], "value of duration is not JSON"),
        (["--payload", "/no/such/file"], "--payload cannot be read"),
        ([], "payload must hold"),
        (["-p", "x", "-s", "first_frame=no-such.png"], "no-such.png: No such file"),
    ],
)
def test_wrong_parameters_are_one_sentence(run: Run, arguments: list[str], words: str) -> None:
    code, out, err = run("generate", "wan2.7-i2v", *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert words in err


def test_a_refusal_in_json_has_code_and_param(wire: Wire, run: Run) -> None:
    refused = Reply(400, {"error": "invalid payload", "code": "invalid_payload", "param": "duration"})
    wire.script("POST", "/requests$", refused)
    code, out, err = run("generate", "wan2.7-i2v", "-p", "x", "--json")
    assert (code, out) == (1, "")
    assert json.loads(err) == {
        "error": "invalid payload",
        "code": "invalid_payload",
        "param": "duration",
        "request_id": None,
    }


def test_a_failed_request_is_exit_code_1(wire: Wire, run: Run) -> None:
    wire.plan("request-0", "failed")
    code, _, err = run("generate", "wan2.7-i2v", "-p", "x")
    assert code == 1
    assert err.endswith("gmicloud: request request-0 failed: out of memory\n")


def test_a_wait_that_is_over_tells_how_to_go_on(wire: Wire, run: Run) -> None:
    wire.plan("r", "processing")
    code, _, err = run("watch", "r", "--timeout", "0.000001")
    assert code == 1
    assert "gmicloud watch r" in err


def test_models_are_listed_and_shown(run: Run) -> None:
    assert run("models")[1].split() == ["wan2.7-i2v", "animatic", "image", "to", "video"]
    shown = run("models", "wan2.7-i2v")[1]
    assert "0.15 USD per request" in shown
    assert "duration" in shown
    assert json.loads(run("models", "--json")[1])[0]["model"] == "wan2.7-i2v"


def test_requests_watch_cancel_and_download(wire: Wire, run: Run, tmp_path: Path) -> None:
    wire.plan("one", "processing", "success")
    wire.plan("two", "queued")
    assert run("requests", "--model", "wan2.7-i2v", "--status", "success")[1].count("\n") == 2
    assert run("watch", "one")[1].startswith("http")
    assert run("cancel", "two")[1] == "cancelled: cancelled\n"
    target = tmp_path / "v.mp4"
    assert run("download", "one", "-o", str(target))[1] == f"{target}\n"
    code, _, err = run("download", "one", "-o", str(target), "--keep")
    assert (code, err) == (1, f"gmicloud: {target} exists already\n")


def test_watch_in_json_prints_one_event_a_line(wire: Wire, run: Run) -> None:
    wire.streams = [[b'data: {"status": "queued"}\n\n', b'id: e\ndata: {"status": "success"}\n\n']]
    lines = run("watch", "r", "--json")[1].splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["queued", "success"]


def test_without_credentials_the_command_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GMI_API_KEY", "GMI_CLOUD_EMAIL", "GMI_CLOUD_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = run("models")
    assert code == 1
    assert "GMI_API_KEY" in err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["watch"], ["watch", "r", "--timeout", "-1"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gmicloud" in capsys.readouterr().err


def test_an_interrupt_says_that_the_request_goes_on(wire: Wire, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gmicloud.client.Client.wait", interrupt)
    code, _, err = run("generate", "wan2.7-i2v", "-p", "x")
    assert code == 130
    assert "goes on" in err


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("gmicloud")
    shown = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("gmicloud 0.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(status: str, **fields: object) -> GetRequestResponse:
    return GetRequestResponse.model_validate({"request_id": "r", "status": status, **fields})


def test_bars_are_redrawn_in_place_on_a_terminal() -> None:
    out, now = Terminal(), [0.0]
    bars = ProgressBars(out, clock=lambda: now[0])
    one, two = bars.bar("one"), bars.bar("second")
    one(record("processing", progress=50, stage="generating"))
    now[0] = 3.0
    two(record("success"))
    first, second = out.getvalue().split("\x1b[2A")
    assert "one     ████████████░░░░░░░░░░░░  50%    0.0 s  generating" in first
    assert "second  ████████████████████████ 100%    3.0 s  success" in second
    assert second.count("\n") == 2


def test_elsewhere_only_changes_are_written() -> None:
    out = io.StringIO()
    update = ProgressBars(out).bar("one")
    for progress in (1, 2, 3):
        update(record("processing", progress=progress, stage="generating"))
    update(record("success"))
    assert out.getvalue() == "one: generating\none: success\n"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"status": "queued", "queue_position": 2}, "queued, 2 ahead"),
        ({"status": "queued", "queue_position": 0}, "queued"),
        ({"status": "processing", "stage": "encoding", "attempt": 2}, "encoding, attempt 2"),
        ({"status": "failed", "error": "why"}, "failed: why"),
        ({"status": "paused", "progress": "odd"}, "paused"),
    ],
)
def test_a_record_is_described_in_a_few_words(fields: dict[str, object], text: str) -> None:
    assert describe(record(**fields)) == text  # type: ignore[arg-type]
