"""The engine against a small upstream without idempotency or cancel, its faults included."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.egress import EgressSettings
from rushes.engines.engine import (
    Busy,
    Cancelled,
    Encoded,
    EngineError,
    EngineLost,
    InvalidInput,
    Plan,
    Unsupported,
    UpstreamError,
)
from rushes.engines.gmi import GmiEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.tiny_video import tiny_video
from support.upstream_server import Q, UpstreamServer, upstream_server

CATALOG = load_catalog()
CARD = CATALOG.find("Luma-Ray2")
I2V = CATALOG.find("wan2.7-i2v")


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[UpstreamServer]:
    monkeypatch.setenv("UPSTREAM_KEY", "upstream-key")
    with upstream_server() as server:
        yield server


def engine_of(upstream: UpstreamServer, egress: EgressSettings = EgressSettings(), **options: Any) -> GmiEngine:
    written = {"base_url": upstream.url, "key_env": "UPSTREAM_KEY", **options}
    engine = GmiEngine(Setup("gmi", written, egress))
    engine.first_poll = 0.01
    return engine


def plan_of(engine: GmiEngine, **params: Any) -> Plan:
    return engine.normalise(CARD, {"prompt": "a quiet harbour", "duration": "5s", **params}, 4711)


def made(engine: GmiEngine, control: KeepingControl, plan: Plan | None = None) -> Encoded:
    engine.load(CARD, control)
    return engine.generate(plan or plan_of(engine), control)


def refused(upstream: UpstreamServer, control: KeepingControl) -> EngineError:
    with pytest.raises(EngineError) as error:
        made(engine_of(upstream), control)
    return error.value


def test_a_request_goes_up_as_it_is_and_its_video_comes_down(upstream: UpstreamServer, tmp_path: Path) -> None:
    control = KeepingControl(tmp_path)
    done = made(engine_of(upstream), control, plan_of(engine_of(upstream), loop=True, aspect_ratio=None))
    assert done.path.read_bytes() == tiny_video()
    (sent,) = upstream.sent
    assert (sent.model, sent.payload) == ("Luma-Ray2", {"prompt": "a quiet harbour", "duration": "5s", "loop": True})
    assert (done.report.fingerprint, done.report.rendered_by) == ("gmi Luma-Ray2", "")
    assert control.told[0] == ("waiting", 0) and control.told[-1][0] == "running"


def test_the_upstreams_name_of_a_model_is_used(upstream: UpstreamServer, tmp_path: Path) -> None:
    engine = engine_of(upstream, names={"Luma-Ray2": "upstream-name"})
    made(engine, KeepingControl(tmp_path), plan_of(engine))
    assert [sent.model for sent in upstream.sent] == ["upstream-name"]


def test_a_drawn_seed_goes_up_where_the_model_takes_one(upstream: UpstreamServer) -> None:
    engine = engine_of(upstream)
    veo = CATALOG.find("Veo3")
    plan = engine.normalise(veo, {"prompt": "x", "seed": None}, 4711)
    assert (plan.seed, plan.extra["payload"]["seed"]) == (4711, 4711)
    assert engine.normalise(veo, {"prompt": "x", "seed": 5}, 4711).extra["payload"]["seed"] == 5
    assert "seed" not in plan_of(engine).extra["payload"], "the card has no such parameter"


def test_the_key_goes_to_the_upstream_alone(upstream: UpstreamServer, tmp_path: Path) -> None:
    with upstream_server() as other:
        upstream.redirect = f"{other.url}/artifacts/v.mp4"
        port = int(other.url.rpartition(":")[2])
        made(engine_of(upstream, EgressSettings.of([port], ["127.0.0.0/8"])), KeepingControl(tmp_path))
        upstream.redirect, upstream.link = "", f"{other.url}/artifacts/v.mp4"
        made(engine_of(upstream, EgressSettings.of([port], ["127.0.0.0/8"])), KeepingControl(tmp_path))
        assert [("authorization" in headers) for _, _, headers in other.calls] == [False, False]
    for _, path, headers in upstream.calls:
        assert ("authorization" in headers) == path.startswith(Q), path


@pytest.mark.parametrize("place", ["redirect", "link"])
@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/x", "http://10.0.0.1/x", "file:///etc/passwd", "gopher://x"]
)
def test_links_lead_no_further_than_a_customers_would(
    upstream: UpstreamServer, tmp_path: Path, place: str, target: str
) -> None:
    setattr(upstream, place, target)
    assert isinstance(refused(upstream, KeepingControl(tmp_path)), EngineLost)
    assert len(upstream.sent) == 1


def test_files_go_up_with_exactly_the_type_that_is_signed(upstream: UpstreamServer, tmp_path: Path) -> None:
    engine = engine_of(upstream)
    plan = engine.normalise(I2V, {"first_frame": "ref", "prompt": "x", "driving_audio": "sound"}, 1)
    assert plan.inputs == {"first_frame.0": "ref", "driving_audio.0": "sound"}
    files = {"first_frame.0": tmp_path / "a.jpg", "driving_audio.0": tmp_path / "b.mp3"}
    for path in files.values():
        path.write_bytes(path.name.encode())
    engine.load(I2V, KeepingControl(tmp_path))
    engine.generate(replace(plan, inputs={role: str(path) for role, path in files.items()}), KeepingControl(tmp_path))
    assert sorted(upstream.uploads.values()) == [("audio/mpeg", b"b.mp3"), ("image/jpg", b"a.jpg")]
    (sent,) = upstream.sent
    assert sent.payload["first_frame"].startswith("https://cdn.test/put/")
    assert sent.payload["driving_audio"].endswith(".mp3")
    for _, path, headers in upstream.calls:
        assert "authorization" not in headers or not path.startswith("/put/")


def test_a_file_that_the_upstream_does_not_take_is_named(upstream: UpstreamServer, tmp_path: Path) -> None:
    engine = engine_of(upstream)
    plan = engine.normalise(I2V, {"first_frame": "ref", "prompt": "x"}, 1)
    path = tmp_path / "a.gif"
    path.write_bytes(b"gif")
    engine.load(I2V, KeepingControl(tmp_path))
    with pytest.raises(InvalidInput, match="takes png, jpg, mp4, wav, mp3, not gif") as error:
        engine.generate(replace(plan, inputs={"first_frame.0": str(path)}), KeepingControl(tmp_path))
    assert error.value.field == "first_frame"
    assert upstream.sent == []


# -- what was paid for is not paid for again ----------------------------------------------------------------------


def test_a_new_attempt_asks_for_what_was_begun(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.questions = -1
    first = KeepingControl(tmp_path)
    pool = ThreadPoolExecutor(1)
    running = pool.submit(made, engine_of(upstream), first)
    upstream.wait_for("GET", f"{Q}/requests/", 2)
    first.cancel(for_good=False)
    with pytest.raises(Cancelled):
        running.result(20)
    pool.shutdown()
    assert upstream.count("DELETE", Q) == 0
    upstream.questions = 0
    made(engine_of(upstream), first.next_attempt())
    assert len(upstream.sent) == 1


def test_a_submit_without_an_answer_is_found_in_the_list(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.lost_submits = 1
    made(engine_of(upstream), KeepingControl(tmp_path))
    assert len(upstream.sent) == 1


def test_a_process_killed_between_submit_and_remember_does_not_pay_twice(
    upstream: UpstreamServer, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    first = KeepingControl(tmp_path)

    def die(ref: str) -> None:
        if json.loads(ref)["id"]:
            first.kept.pop()
            raise Killed

    first.on_remember = die
    with pytest.raises(Killed):
        made(engine_of(upstream), first)
    made(engine_of(upstream), first.next_attempt())
    assert len(upstream.sent) == 1


@pytest.mark.parametrize("why", ["no echo", "two of them", "not there"])
def test_what_cannot_be_known_is_failed_and_not_repeated(upstream: UpstreamServer, tmp_path: Path, why: str) -> None:
    control = KeepingControl(tmp_path)
    if why == "not there":
        upstream.refusals = [(502, {}, {})]
    else:
        upstream.lost_submits, upstream.echo = 1, why != "no echo"
    if why == "two of them":
        upstream.sent.append(_twin(upstream))
    error = refused(upstream, control)
    assert isinstance(error, UpstreamError) and error.final
    assert "not known whether the upstream accepted" in str(error)
    assert upstream.count("POST", f"{Q}/requests") == 1
    again = control.next_attempt()
    assert isinstance(refused(upstream, again), UpstreamError)
    assert upstream.count("POST", f"{Q}/requests") == 1


def _twin(upstream: UpstreamServer) -> Any:
    """Another request of the very payload that is about to be sent."""
    from support.upstream_server import Sent

    return Sent("twin", "Luma-Ray2", dict(plan_of(engine_of(upstream)).extra["payload"]))


def test_a_call_that_never_left_is_simply_made_again(
    upstream: UpstreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = KeepingControl(tmp_path)
    with upstream_server() as gone:
        engine = engine_of(gone)
        engine.load(CARD, control)
        plan = plan_of(engine)
    with pytest.raises(EngineLost, match="No connection"):
        engine.generate(plan, control)
    assert control.kept[-1] == "", "nothing is left elsewhere, so nothing will be stopped"


# -- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "kind", "said"),
    [
        (400, {"error": "invalid payload parameters: prompt (too long)", "param": "prompt"}, InvalidInput, "too long"),
        (500, {"error": "Backend error (400). duration must be 5 or 9"}, InvalidInput, "duration must be 5 or 9"),
        (400, {"error": "content policy violation"}, EngineError, "content policy"),
        (400, {"error": "price not found"}, InvalidInput, "price not found"),
        (401, {"error": "Invalid or missing API key"}, Unsupported, "401"),
        (403, {"message": "This key lacks the scope"}, Unsupported, "lacks the scope"),
        (404, {"error": "Model not found"}, Unsupported, "Model not found"),
        (500, {"error": "Backend error (403). no access"}, Unsupported, "no access"),
    ],
)
def test_a_refusal_keeps_its_meaning(
    upstream: UpstreamServer, tmp_path: Path, status: int, answer: dict[str, Any], kind: type[EngineError], said: str
) -> None:
    upstream.refusals = [(status, answer, {})]
    control = KeepingControl(tmp_path)
    error = refused(upstream, control)
    assert isinstance(error, kind) and said in str(error)
    assert error.code == ("content_policy" if "policy" in said else kind.code)
    made(engine_of(upstream), control.next_attempt())  # nothing was begun, so nothing is looked for
    assert len(upstream.sent) == 1


@pytest.mark.parametrize(
    ("status", "headers", "seconds", "hold"),
    [
        (429, {"Retry-After": "7"}, 7, False),
        (503, {}, 30, False),
        (429, {"Retry-After": "soon"}, 30, False),
        (402, {}, 300, True),
    ],
)
def test_a_full_or_empty_account_hands_back(
    upstream: UpstreamServer, tmp_path: Path, status: int, headers: dict[str, str], seconds: float, hold: bool
) -> None:
    upstream.refusals = [(status, {"error": "Insufficient credits."}, headers)]
    error = refused(upstream, KeepingControl(tmp_path))
    assert isinstance(error, Busy)
    assert (error.retry_after, error.hold) == (seconds, hold)


def test_a_model_that_the_upstream_lacks_is_unsupported(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.models.remove("Luma-Ray2")
    with pytest.raises(Unsupported, match="does not have the model Luma-Ray2"):
        made(engine_of(upstream), KeepingControl(tmp_path))


def test_a_wrong_key_is_unsupported_and_never_shown(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.key = "another"
    with pytest.raises(Unsupported) as error:
        made(engine_of(upstream), KeepingControl(tmp_path))
    assert "upstream-key" not in str(error.value)


def test_a_server_that_is_its_own_upstream_is_unsupported(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.says = {"Rushes-Version": "0.1", "Rushes-Instance": "this-one"}
    setup = Setup("gmi", {"base_url": upstream.url, "key_env": "UPSTREAM_KEY"}, instance="this-one")
    with pytest.raises(Unsupported, match="its own upstream"):
        GmiEngine(setup).load(CARD, KeepingControl(tmp_path))
    GmiEngine(replace(setup, instance="another")).load(CARD, KeepingControl(tmp_path))


# -- endings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    [
        {"video_url": "LINK"},
        {"media_urls": [{"id": "0", "url": "LINK"}]},
        {"medias": [{"url": "LINK"}]},
        {"thumbnail_image_url": "LINK"},
        {"video_url": None, "media_urls": [], "medias": [{"url": "LINK"}]},
    ],
)
def test_every_shape_of_success_is_read(upstream: UpstreamServer, tmp_path: Path, outcome: dict[str, Any]) -> None:
    upstream.ending = {"status": "success", "outcome": outcome}
    assert made(engine_of(upstream), KeepingControl(tmp_path)).path.read_bytes() == tiny_video()


@pytest.mark.parametrize("outcome", [None, {}, {"video_url": 7}, {"media_urls": "LINK"}, []])
def test_a_success_without_a_video_is_a_failure(upstream: UpstreamServer, tmp_path: Path, outcome: Any) -> None:
    upstream.ending = {"status": "success", "outcome": outcome}
    error = refused(upstream, KeepingControl(tmp_path))
    assert isinstance(error, UpstreamError) and error.final


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ({"outcome": {"error": "the model broke"}}, "upstream_error", "the model broke"),
        ({"outcome": {"error": {"code": 5, "message": "the model broke"}}}, "upstream_error", "the model broke"),
        ({"error": "the model broke"}, "upstream_error", "the model broke"),
        ({"outcome": {"fail_reason": "Backend error (400) bad size"}}, "invalid_input", "bad size"),
        ({"error_message": "blocked by safety filters"}, "content_policy", "safety filters"),
        ({"outcome": {}}, "upstream_error", "does not say why"),
        ({"outcome": [], "error": 3}, "upstream_error", "does not say why"),
        ({"error": "worn\nout \u202e" + "x" * 9999}, "upstream_error", "worn out"),
    ],
)
def test_every_shape_of_failure_is_read(
    upstream: UpstreamServer, tmp_path: Path, ending: dict[str, Any], code: str, said: str
) -> None:
    upstream.ending = {"status": "failed", **ending}
    error = refused(upstream, KeepingControl(tmp_path))
    assert (error.code, said in str(error)) == (code, True)
    assert len(str(error)) < 400
    assert code == "invalid_input" or error.final


def test_strange_answers_end_nothing(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.strange = [(502, b"<html>"), (200, b"[1]"), (200, b'{"status": 7}'), (429, b"{}"), (200, b"\xff" * 5000)]
    made(engine_of(upstream), KeepingControl(tmp_path))
    assert upstream.strange == []


def test_a_request_that_the_upstream_forgot_is_not_sent_again(upstream: UpstreamServer, tmp_path: Path) -> None:
    control = KeepingControl(tmp_path)
    control.on_remember = lambda _: upstream.sent.clear()
    error = refused(upstream, control)
    assert isinstance(error, UpstreamError) and error.final
    assert upstream.count("POST", f"{Q}/requests") == 1


def test_a_customers_cancel_is_passed_on_as_best_effort(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.questions = -1
    control = KeepingControl(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(made, engine_of(upstream), control)
        upstream.wait_for("GET", f"{Q}/requests/", 2)
        control.cancel(for_good=True)
        with pytest.raises(Cancelled):
            running.result(20)
    assert upstream.count("DELETE", f"{Q}/requests/") == 1
