"""The whole way: a platform, a worker that is given weights, a request over HTTP, a video made by a real pipeline."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av
import pytest
from engines.processes import await_end
from PIL import Image
from rushes.catalog.loader import load_catalog
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled
from rushes.engines.options import Setup
from rushes.worker.child import SETUP_VARIABLE, ChildFrames, EngineChild, Order
from support.platform import RunningPlatform, final, running_platform, submitted

pytestmark = pytest.mark.timeout(180)

CARDS = """
family: tiny
org_id: tests
created: 2026-11-20
models:
  - id: tiny-wan
    task: text-to-video
    display_name: Tiny Wan
    brief: Random weights.
    description: Random weights, for tests.
    engine: {engine}
    {options}: {value}
    parameters:
      - {{name: prompt, type: string, required: true}}
      - {{name: duration, type: float, default: 0.5, min: 0.25, max: 1}}
      - {{name: image, type: image}}
      - {{name: seed, type: integer}}
      - {{name: steps, type: integer, default: 2}}
    example: {{prompt: a lantern}}
"""
SOUND_CARD = """
family: tiny
org_id: tests
created: 2026-11-20
models:
  - id: tiny-wan
    task: text-to-video
    display_name: Tiny LTX-2
    brief: Random weights that make sound.
    description: Random weights, for tests.
    engine: diffusers
    engine_options: {family: ltx-2, tier: 512P, frames: 17, sizes: {512P: ["64x64"]}}
    parameters:
      - {name: prompt, type: string, required: true}
      - {name: duration, type: float, default: 0.5, min: 0.25, max: 1}
      - {name: audio, type: boolean, default: true}
      - {name: seed, type: integer}
      - {name: steps, type: integer, default: 1}
    example: {prompt: a lantern}
"""
FIGURES = '{family: wan-5b, tier: 480P, fps: 16, frames: 9, sizes: {480P: ["96x64"]}'


def catalogue(folder: Path, *, preferred: bool = False) -> dict[str, str]:
    """A folder with a card for a tiny Wan 2.2 5B; where `preferred` is set, it is animatic until weights are there."""
    folder.mkdir()
    card = CARDS.format(
        engine="animatic" if preferred else "diffusers",
        options="prefers" if preferred else "engine_options",
        value=f"[{FIGURES[:1]}engine: diffusers, {FIGURES[1:]}}}]" if preferred else FIGURES + "}",
    )
    (folder / "tiny.yaml").write_text(card)
    return {"RUSHES_CATALOG_DIR": str(folder)}


@contextmanager
def worker_with(weights: Path, platform: RunningPlatform, environment: dict[str, str]) -> Iterator[None]:
    """`rushes worker --model tiny-wan --weights DIR`, as an operator starts it."""
    command = [sys.executable, "-m", "rushes", "worker", "--data", str(platform.data / "gpu")]
    process = subprocess.Popen(
        [*command, "--model", "tiny-wan", "--weights", str(weights)],
        env={
            **os.environ,
            **environment,
            "RUSHES_DATABASE_URL": platform.database_url,
            "RUSHES_OBJECTS_URL": f"file://{platform.data / 'objects'}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        print(said)
        assert process.returncode == 0, said


def decoded(content: bytes) -> tuple[int, int, int]:
    """Frames, width and height of an mp4."""
    with av.open(BytesIO(content)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return len(frames), frames[0].shape[1], frames[0].shape[0]


def made(platform: RunningPlatform, payload: dict[str, Any]) -> dict[str, Any]:
    with platform.client() as client:
        return final(client, submitted(client, "tiny-wan", payload))


def test_a_worker_with_weights_makes_the_videos_of_its_card(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    environment = catalogue(tmp_path / "cards")
    with running_platform(tmp_path / "data", environment=environment) as platform, platform.client() as client:
        waiting = submitted(client, "tiny-wan", {"prompt": "a lantern", "seed": 5})
        with worker_with(tiny("wan-5b"), platform, environment):
            record = final(client, waiting)
            assert record["status"] == "success", f"{record}\n{platform.logs()}"
            video = client.get(record["outcome"]["video_url"]).content
            assert decoded(video) == (8, 96, 64)
            assert record["engine"] == "diffusers"
            assert record["outcome"]["seed"] == 5
            again = made(platform, {"prompt": "a lantern", "seed": 5})
            assert client.get(again["outcome"]["video_url"]).content == video
            other = made(platform, {"prompt": "a lantern", "seed": 6})
            assert client.get(other["outcome"]["video_url"]).content != video
            refused = client.post("/requests", json={"model": "tiny-wan", "payload": {"prompt": "p", "duration": 30}})
            assert refused.status_code == 400
            with_picture = made(platform, {"prompt": "p", "image": picture_uri(), "duration": 0.25})
            assert with_picture["status"] == "success", with_picture
            assert decoded(client.get(with_picture["outcome"]["video_url"]).content) == (4, 96, 64)


def test_a_model_that_makes_sound_gives_a_film_with_a_track_as_long_as_its_pictures(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "tiny.yaml").write_text(SOUND_CARD)
    environment = {"RUSHES_CATALOG_DIR": str(tmp_path / "cards")}
    with running_platform(tmp_path / "data", environment=environment) as platform, platform.client() as client:
        with worker_with(tiny("ltx-2"), platform, environment):
            record = made(platform, {"prompt": "a bell", "seed": 5})
            assert record["status"] == "success", f"{record}\n{platform.logs()}"
            silent = made(platform, {"prompt": "a bell", "seed": 5, "audio": False})
        with av.open(BytesIO(client.get(record["outcome"]["video_url"]).content)) as film:
            (picture,), (track,) = film.streams.video, film.streams.audio
            assert (track.codec_context.name, track.rate, track.channels) == ("aac", 48000, 2), (
                "the encoder's rate for all"
            )
            assert picture.frames == 12
            one_packet = 1024 / track.rate
            assert track.duration is not None
            assert float(track.duration * track.time_base) == pytest.approx(0.5, abs=one_packet)
            loudest = max(abs(frame.to_ndarray()).max() for frame in film.decode(track))
            assert loudest > 0
        with av.open(BytesIO(client.get(silent["outcome"]["video_url"]).content)) as film:
            assert not film.streams.audio
            assert film.streams.video[0].frames == 12


def test_a_card_is_animatic_until_a_worker_has_its_weights(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    environment = catalogue(tmp_path / "cards", preferred=True)
    with running_platform(tmp_path / "data", environment=environment) as platform:
        payload = {"prompt": "a lantern", "duration": 0.5, "seed": 3}
        assert made(platform, payload)["engine"] == "animatic"
        with worker_with(tiny("wan-5b"), platform, environment):
            # The worker announces itself by its lane, which the API reads every two seconds; each try takes about one.
            for _ in range(60):
                record = made(platform, payload)
                if record["engine"] == "diffusers":
                    break
            assert (record["engine"], record["status"]) == ("diffusers", "success")


def test_a_card_of_a_team_makes_its_videos_and_leaves_no_process_behind(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    environment = catalogue(tmp_path / "cards")
    file = tmp_path / "cards" / "tiny.yaml"
    file.write_text(file.read_text().replace("{family: wan-5b,", "{family: wan-5b, context_parallel: {gpus: 2},"))
    with running_platform(tmp_path / "data", environment=environment) as platform, platform.client() as client:
        with worker_with(tiny("wan-5b"), platform, environment):
            record = made(platform, {"prompt": "a lantern", "seed": 5})
            assert record["status"] == "success", f"{record}\n{platform.logs()}"
            assert decoded(client.get(record["outcome"]["video_url"]).content) == (8, 96, 64)
            (rank,) = ranks_of(environment)
        await_end(rank)


def ranks_of(environment: dict[str, str]) -> list[int]:
    """Processes of a team's other ranks that see this catalogue."""
    mark = f"RUSHES_CATALOG_DIR={environment['RUSHES_CATALOG_DIR']}".encode()
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_rank = b"rushes.engines.diffusers.rank" in (process / "cmdline").read_bytes()
            if is_rank and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def picture_uri() -> str:
    file = BytesIO()
    Image.new("RGB", (96, 64), (20, 90, 200)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_weights_that_are_not_the_cards_end_the_worker_with_a_sentence(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    environment = catalogue(tmp_path / "cards")
    command = [sys.executable, "-m", "rushes", "worker", "--data", str(tmp_path), "--model", "tiny-wan"]
    done = subprocess.run(
        [*command, "--weights", str(tiny("ltx"))],
        env={**os.environ, **environment, "RUSHES_DATABASE_URL": "postgresql://127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "needs a WanPipeline for t2v" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_child_process_renders_and_can_be_cancelled(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """What a qworker does with its child: frames through the ring, a cancel in the middle, then the same frames."""
    environment = catalogue(tmp_path / "cards")
    setup = Setup("diffusers", {"weights": str(tiny("wan-5b"))})
    child = EngineChild("diffusers", {**os.environ, **environment, SETUP_VARIABLE: setup.as_json()})
    card = load_catalog(tmp_path / "cards").find("tiny-wan")
    plan = DiffusersEngine(setup).normalise(card, {"prompt": "p", "steps": 3}, 7)

    def frames(stop_at: float = 99) -> list[bytes]:
        """The frames of one run, read in another thread as the qworker does."""
        stop, read = Event(), Future[list[bytes]]()

        def on_progress(phase: str, done: float, total: float) -> None:
            if phase == "denoise" and done >= stop_at:
                stop.set()

        def take(frames: ChildFrames) -> None:
            try:
                read.set_result([frame.tobytes() for frame in frames])
            except Cancelled as cancelled:
                read.set_exception(cancelled)

        child.run(
            Order(
                plan=json.loads(json.dumps(plan.as_json())),
                scratch=tmp_path,
                remembered=None,
                seconds=100,
                cancel_grace=30,
                on_progress=on_progress,
                on_remember=lambda _: None,
                on_frames=lambda frames: Thread(target=take, args=(frames,)).start(),
                stop=stop,
            )
        )
        return read.result(30)

    try:
        first = frames()
        assert len(first) == plan.num_frames
        pid = child.pid
        with pytest.raises(Cancelled):
            frames(stop_at=1)
        assert frames() == first
        assert child.pid == pid
    finally:
        child.kill()
