"""The engine against a small server of each dialect, their faults included."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rushes.catalog.loader import load_catalog
from rushes.egress import EgressSettings
from rushes.engines.engine import (
    Cancelled,
    Encoded,
    EngineError,
    EngineLost,
    InvalidInput,
    OutOfMemory,
    Picture,
    Plan,
    Unsupported,
)
from rushes.engines.openai_videos import OpenAIVideosEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.tiny_video import tiny_video
from support.video_server import VideoServer, video_server

CATALOG = load_catalog()
CARD = CATALOG.find("Wan-AI_Wan2.1-T2V-14B")
I2V = CATALOG.find("Wan-AI_Wan2.1-I2V-14B-720P")
DIALECTS = ("vllm_omni", "sglang")


@pytest.fixture(params=DIALECTS)
def server(request: pytest.FixtureRequest) -> Iterator[VideoServer]:
    with video_server(request.param) as server:
        yield server


@pytest.fixture
def vllm() -> Iterator[VideoServer]:
    with video_server("vllm_omni") as server:
        yield server


@pytest.fixture
def sglang() -> Iterator[VideoServer]:
    with video_server("sglang") as server:
        yield server


def engine_of(server: VideoServer, egress: EgressSettings = EgressSettings(), **options: Any) -> OpenAIVideosEngine:
    written = {"base_url": server.url, "dialect": server.dialect, "models": ["*"], **options}
    engine = OpenAIVideosEngine(Setup("lab", written, egress))
    engine.first_poll = 0.01
    return engine


def plan_of(engine: OpenAIVideosEngine, **params: Any) -> Plan:
    return engine.normalise(CARD, {"prompt": "a quiet harbour", "video_length": 5, "seed": 7, **params}, 1)


def made(engine: OpenAIVideosEngine, control: KeepingControl, **params: Any) -> Encoded:
    engine.load(CARD, control)
    return engine.generate(plan_of(engine, **params), control)


def test_a_video_is_submitted_polled_fetched_and_forgotten(server: VideoServer, tmp_path: Path) -> None:
    control = KeepingControl(tmp_path)
    done = made(engine_of(server), control)
    assert done.path.read_bytes() == server.file
    assert (done.report.seed, done.report.peak_bytes) == (7, 512_000_000)
    assert done.report.fingerprint.startswith(f"{server.dialect} Wan-AI/Wan2.1-T2V-1.3B-Diffusers ")
    assert server.videos == {}, "records of such a server never expire"
    assert server.count("POST") == 1
    shares = [share for _, share in control.told]
    assert shares == sorted(shares, key=lambda share: share) or server.dialect == "vllm_omni"
    assert control.told[0] == ("waiting", 0)


def test_the_form_has_what_the_dialect_takes(server: VideoServer, tmp_path: Path) -> None:
    seen: list[Any] = []
    control = KeepingControl(tmp_path)
    control.on_remember = lambda _: seen.extend(server.videos.values())
    engine = engine_of(server, parameters={"flow_shift": 3.0}, extra_parameters={"prompt_extend": "enhance"})
    made(engine, control, cfg_scale=6.5, negative_prompt="blur", prompt_extend=True)
    fields = seen[-1].fields
    assert fields == {
        "prompt": "a quiet harbour",
        "width": "848",
        "height": "480",
        "num_frames": "81",
        "fps": "16",
        "seed": "7",
        "negative_prompt": "blur",
        "flow_shift": "3.0",
        "guidance_scale": "6.5",
        "extra_params": json.dumps({"enhance": True}),
    }


def test_a_picture_travels_as_a_file_part(server: VideoServer, tmp_path: Path) -> None:
    engine = engine_of(server, images=True)
    params = {"prompt": "waves", "path_to_image": "ref", "video_length": 5}
    assert engine.normalise(I2V, params, 1).width is None, "the size follows a picture that was not read yet"
    plan = engine.normalise(I2V, params, 1, {"image": Picture(1000, 1000)})
    assert (plan.kind, plan.width, plan.height) == ("i2v", 720, 720)
    picture = tmp_path / "image.png"
    Image.new("RGB", (720, 720), "teal").save(picture)
    seen: list[Any] = []
    control = KeepingControl(tmp_path)
    control.on_remember = lambda _: seen.extend(server.videos.values())
    engine.load(I2V, control)
    engine.generate(Plan.from_json({**plan.as_json(), "inputs": {"image": str(picture)}}), control)
    assert seen[-1].files == {"input_reference": ("image/png", picture.read_bytes())}


@pytest.mark.parametrize(
    ("card", "params", "options", "field"),
    [
        (CARD, {"prompt": "x", "video_length": 11}, {}, "video_length"),
        (CARD, {"prompt": "x", "video_resolution": "4000x4000"}, {}, "video_resolution"),
        (CARD, {"prompt": "x", "video_resolution": "huge"}, {}, "video_resolution"),
        (CARD, {"prompt": "x", "cfg_scale": 30}, {}, "cfg_scale"),
        (CARD, {"prompt": "x"}, {"images": True}, "image"),
        (I2V, {"prompt": "x", "path_to_image": "ref"}, {}, "path_to_image"),
    ],
)
def test_what_the_server_cannot_do_is_refused_at_submit(
    card: Any, params: dict[str, Any], options: dict[str, Any], field: str
) -> None:
    engine = OpenAIVideosEngine(
        Setup("lab", {"base_url": "http://127.0.0.1:9", "dialect": "sglang", "models": ["*"], **options})
    )
    with pytest.raises(InvalidInput) as refused:
        engine.normalise(card, params, 1)
    assert refused.value.field == field


def test_a_last_frame_is_refused_since_neither_dialect_takes_one() -> None:
    card = CATALOG.find("Wan-AI_Wan2.1-FLF2V-14B-720P")
    engine = OpenAIVideosEngine(
        Setup("lab", {"base_url": "http://127.0.0.1:9", "dialect": "vllm_omni", "images": True, "models": ["*"]})
    )
    with pytest.raises(InvalidInput, match="last_frame_image cannot be used by the server"):
        engine.normalise(card, {"prompt": "x", "first_frame_image": "a", "last_frame_image": "b"}, 1)


@pytest.mark.parametrize(("seconds", "frames"), [(0.1, 5), (1, 17), (4, 65), (5, 81), (5.07, 85)])
def test_frame_counts_are_a_multiple_and_one_and_never_fewer_than_asked(seconds: float, frames: int) -> None:
    engine = OpenAIVideosEngine(Setup("lab", {"base_url": "http://x", "dialect": "sglang", "models": ["*"]}))
    plan = engine.normalise(CARD, {"prompt": "x", "video_length": seconds}, 1)
    assert (plan.num_frames, plan.keep_frames, plan.seconds) == (frames, frames, seconds)


def test_a_neutral_prompt_stands_in_for_none(server: VideoServer) -> None:
    assert plan_of(engine_of(server), prompt="  ").prompt == "a calm scene"


# -- probing ------------------------------------------------------------------------------------------------------


def test_a_sick_server_is_lost_and_a_wrong_one_unsupported(server: VideoServer, tmp_path: Path) -> None:
    control, engine = KeepingControl(tmp_path), engine_of(server)
    server.sick = True
    with pytest.raises(EngineLost, match="not well: 503"):
        engine.load(CARD, control)
    server.sick, server.several_processes = False, True
    with pytest.raises(Unsupported, match="several API processes"):
        engine.load(CARD, control)
    server.several_processes = False
    assert engine.load(CARD, control).fingerprint


def test_a_server_that_is_not_there_is_lost(tmp_path: Path) -> None:
    with video_server("sglang") as server:
        engine = engine_of(server)
    with pytest.raises(EngineLost, match="No connection could be made"):
        engine.load(CARD, KeepingControl(tmp_path))


def test_the_key_goes_with_every_call_and_a_wrong_one_is_unsupported(
    vllm: VideoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vllm.key = "secret"
    monkeypatch.setenv("LAB_KEY", "secret")
    made(engine_of(vllm, key_env="LAB_KEY"), KeepingControl(tmp_path))
    monkeypatch.setenv("LAB_KEY", "wrong")
    with pytest.raises(Unsupported, match="does not accept the key"):
        engine_of(vllm, key_env="LAB_KEY").load(CARD, KeepingControl(tmp_path))


# -- attempts that end, and those that come after -----------------------------------------------------------------


def in_background(work: Callable[[], Any]) -> Any:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def test_a_new_attempt_takes_up_the_video_of_the_one_before(server: VideoServer, tmp_path: Path) -> None:
    server.questions = -1
    first, engine = KeepingControl(tmp_path), engine_of(server)
    running = in_background(lambda: made(engine, first))
    server.wait_for("GET", "/v1/videos/")
    first.cancel(for_good=False)  # its qworker is going away
    with pytest.raises(Cancelled):
        running.result(20)
    assert len(server.videos) == 1, "another attempt will want it"
    server.finish()
    made(engine_of(server), first.next_attempt())
    assert server.count("POST") == 1


def test_a_submit_whose_answer_was_lost_is_found_in_the_list(server: VideoServer, tmp_path: Path) -> None:
    server.lost_submits = 1
    made(engine_of(server), KeepingControl(tmp_path))
    assert server.count("POST") == 1


def test_a_process_that_died_between_submit_and_answer_leaves_a_trace(server: VideoServer, tmp_path: Path) -> None:
    """The first attempt dies the moment its submit has gone out; the second one looks before it submits."""

    class Killed(BaseException):
        pass

    first = KeepingControl(tmp_path)

    def die(ref: str) -> None:
        if json.loads(ref)["id"]:
            first.kept.pop()
            raise Killed

    first.on_remember = die
    with pytest.raises(Killed):
        made(engine_of(server), first)
    made(engine_of(server), first.next_attempt())
    assert server.count("POST") == 1


def test_where_several_are_outstanding_a_match_in_the_list_proves_nothing(server: VideoServer, tmp_path: Path) -> None:
    server.lost_submits = 1
    with pytest.raises(EngineLost, match="did not answer"):
        made(engine_of(server, slots=2), KeepingControl(tmp_path))


def test_a_server_that_was_started_again_has_forgotten_the_video(server: VideoServer, tmp_path: Path) -> None:
    server.questions = -1
    control, engine = KeepingControl(tmp_path), engine_of(server)
    running = in_background(lambda: made(engine, control))
    server.wait_for("GET", "/v1/videos/")
    server.restart()
    with pytest.raises(EngineLost, match="started again"):
        running.result(20)
    server.finish()
    made(engine_of(server), control.next_attempt())
    assert server.count("POST") == 2


def test_answers_that_are_no_video_end_nothing(server: VideoServer, tmp_path: Path) -> None:
    server.answers = [(502, b"bad gateway"), (200, b"[]"), (200, b"{}"), (503, b'{"detail": "busy"}')]
    made(engine_of(server), KeepingControl(tmp_path))
    assert server.answers == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ((500, "the engine crashed"), EngineLost),
        ((400, "num_frames must be 4k+1"), InvalidInput),
        ((500, "CUDA out of memory. Tried to allocate"), OutOfMemory),
    ],
)
def test_a_failed_video_says_why_whatever_the_http_status(
    server: VideoServer, tmp_path: Path, failure: tuple[int, str], kind: type[EngineError]
) -> None:
    server.fail_with = failure
    with pytest.raises(kind, match=failure[1][:20]):
        made(engine_of(server), KeepingControl(tmp_path))


def test_a_failed_video_is_rendered_anew_by_the_next_attempt(server: VideoServer, tmp_path: Path) -> None:
    server.fail_with = (500, "the engine crashed")
    control = KeepingControl(tmp_path)
    with pytest.raises(EngineLost, match="crashed"):
        made(engine_of(server), control)
    assert (server.videos, control.kept[-1]) == ({}, ""), "nothing is left there"
    server.fail_with = None
    made(engine_of(server), control.next_attempt())
    assert server.count("POST") == 2


# -- cancels ------------------------------------------------------------------------------------------------------


def cancelled_while_running(server: VideoServer, tmp_path: Path) -> Any:
    server.questions = -1
    control, engine = KeepingControl(tmp_path), engine_of(server)
    running = in_background(lambda: made(engine, control))
    server.wait_for("GET", "/v1/videos/", 2)
    control.cancel(for_good=True)
    return running


def test_a_cancel_stops_vllm_omni_also_when_the_first_delete_is_too_early(vllm: VideoServer, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        cancelled_while_running(vllm, tmp_path).result(20)
    assert (vllm.videos, vllm.working, vllm.count("DELETE")) == ({}, 0, 2)


def test_a_cancel_waits_for_sglang_whose_gpu_works_on(sglang: VideoServer, tmp_path: Path) -> None:
    running = cancelled_while_running(sglang, tmp_path)
    polled = sglang.count("GET", "/v1/videos/")
    sglang.wait_for("GET", "/v1/videos/", polled + 2)
    assert not running.done() and sglang.count("DELETE") == 0
    sglang.finish()
    with pytest.raises(Cancelled):
        running.result(20)
    assert (sglang.videos, sglang.working) == ({}, 0)


# -- the file -----------------------------------------------------------------------------------------------------


def test_a_download_that_breaks_off_is_begun_again(server: VideoServer, tmp_path: Path) -> None:
    server.half_files = 2
    assert made(engine_of(server), KeepingControl(tmp_path)).path.read_bytes() == tiny_video()


def test_a_download_that_always_breaks_off_is_lost_and_the_video_stays_for_the_next_attempt(
    server: VideoServer, tmp_path: Path
) -> None:
    server.half_files = 3
    control = KeepingControl(tmp_path)
    with pytest.raises(EngineLost, match="broke off"):
        made(engine_of(server), control)
    assert not (tmp_path / "remote.mp4").exists()
    made(engine_of(server), control.next_attempt())
    assert server.count("POST") == 1


def test_an_uploaded_video_is_fetched_from_its_link_without_the_key(
    sglang: VideoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "secret")
    with file_site(tiny_video()) as (url, seen):
        sglang.link = url
        # The site is at a private address that is not the server's own: only the operator's settings let it through.
        with pytest.raises(EngineLost, match="not allowed"):
            made(engine_of(sglang, key_env="LAB_KEY"), KeepingControl(tmp_path))
        assert seen == []
        port = int(url.split(":")[2].split("/")[0])
        allowed = EgressSettings.of([port], ["127.0.0.0/8"])
        done = made(engine_of(sglang, allowed, key_env="LAB_KEY"), KeepingControl(tmp_path))
        assert done.path.read_bytes() == tiny_video()
        assert "Authorization" not in seen[0]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "file:///etc/passwd"]
)
def test_a_redirect_to_a_private_address_is_refused(server: VideoServer, tmp_path: Path, target: str) -> None:
    server.content_redirect = target
    with pytest.raises(EngineLost, match=r"not allowed|must begin with|Port"):
        made(engine_of(server), KeepingControl(tmp_path))


def test_an_answer_without_end_is_cut_off(server: VideoServer, tmp_path: Path) -> None:
    server.answers = [(200, b'{"x": "' + b"y" * (5 << 20) + b'"}')]
    made(engine_of(server), KeepingControl(tmp_path))  # a strange answer ends nothing


@pytest.mark.parametrize("name", ["../../admin", "..", "a/b", "", "x" * 200])
def test_an_id_that_would_lead_elsewhere_is_refused(server: VideoServer, tmp_path: Path, name: str) -> None:
    server.odd_id = name or "?"
    with pytest.raises(EngineLost, match="names no video"):
        made(engine_of(server), KeepingControl(tmp_path))


class file_site:
    """A loopback site with one file that notes the headers of its readers."""

    def __init__(self, body: bytes) -> None:
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        seen: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(dict(self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._web.serve_forever, args=(0.05,), daemon=True)
        self.found = (f"http://127.0.0.1:{self._web.server_port}/v.mp4", seen)

    def __enter__(self) -> tuple[str, list[dict[str, str]]]:
        self._thread.start()
        return self.found

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()
        self._thread.join(60)
