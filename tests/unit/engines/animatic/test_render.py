"""Whole renders: the first and last frames, every path in every shape, sameness, words, sound, cancel."""

import hashlib
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rushes.engines.animatic import AnimaticEngine
from rushes.engines.animatic.render import Render
from rushes.engines.engine import Cancelled, InvalidInput, Plan, Unsupported

from .conftest import SHAPES, Recorder, detailed, full_card, gradient, plan, psnr

Save = Callable[..., Path]


def render(of: Plan, control: Recorder | None = None) -> Render:
    return AnimaticEngine().generate(of, control or Recorder())


def drawn(of: Plan) -> list[NDArray[np.uint8]]:
    return list(render(of))


def digest(frames: list[NDArray[np.uint8]]) -> str:
    return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()


def expected_luma(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float64]:
    """BT.709 luma of the picture, cover-cropped at its centre and resized, worked out apart from the engine."""
    tall, wide = rgb.shape[:2]
    keep_w, keep_h = min(wide, round(tall * width / height)), min(tall, round(wide * height / width))
    left, top = (wide - keep_w) // 2, (tall - keep_h) // 2
    part = rgb[top : top + keep_h, left : left + keep_w]
    way = cv2.INTER_AREA if keep_w >= width else cv2.INTER_LANCZOS4
    sized = np.asarray(cv2.resize(part, (width, height), interpolation=way)).astype(float)
    return 16 + 219 / 255 * (sized @ np.array([0.2126, 0.7152, 0.0722]))


def clip_folder(folder: Path, rgb: NDArray[np.uint8], save: Save, pan: float, width: int, height: int) -> Path:
    """Twelve frames a sixth of a second apart, cut from a larger picture that slides `pan` of the width per second."""
    for k in range(12):
        left = round(rgb.shape[1] * 0.2 + pan * width * k / 6)
        save(rgb[10 : 10 + height, left : left + width], f"{folder.name}/{k:06d}.png")
    return save(rgb[10 : 10 + height, left : left + width], f"{folder.name}/last.png").parent


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("source", [(401, 299), (1024, 1024), (90, 160), (333, 121)])
def test_frame_0_equals_the_picture(save: Save, shape: tuple[int, int], source: tuple[int, int]) -> None:
    for rgb in (detailed(*source), gradient(*source)):
        of = plan("fast dolly in, handheld", *shape, inputs={"image": save(rgb)})
        frame = next(iter(render(of)))
        assert psnr(frame[: shape[1]], expected_luma(rgb, *shape)) > 45


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_the_first_moving_frames_stay_close_to_the_picture(save: Save, shape: tuple[int, int]) -> None:
    frames = drawn(plan("dolly in", *shape, seconds=2, inputs={"image": save(gradient(300, 300))}))
    levels = np.array([frame[: shape[1]].mean() for frame in frames])
    sharp = np.array([cv2.Laplacian(frame[: shape[1]], cv2.CV_32F).var() for frame in frames])
    assert np.abs(np.diff(levels)).max() < 0.5
    assert psnr(frames[1][: shape[1]], frames[0][: shape[1]]) > 40
    assert sharp.max() < 50


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("prompt", ["dolly in", "pan left", "zoom out", "handheld", "a lake"])
def test_a_last_picture_alone_is_where_the_camera_arrives(save: Save, shape: tuple[int, int], prompt: str) -> None:
    rgb = detailed(320, 240)
    frames = drawn(plan(prompt, *shape, inputs={"last_image": save(rgb)}))
    luma = expected_luma(rgb, *shape)
    assert psnr(frames[-1][: shape[1]], luma) > 45
    assert psnr(frames[0][: shape[1]], luma) < 40


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("prompt", ["pan left", "dolly in", "zoom out", "handheld"])
def test_both_ends_of_a_dissolve_equal_their_pictures(save: Save, shape: tuple[int, int], prompt: str) -> None:
    first, last = detailed(320, 240, seed=1), gradient(200, 300)
    inputs = {"image": save(first, "a.png"), "last_image": save(last, "b.png")}
    frames = drawn(plan(prompt, *shape, inputs=inputs))
    assert psnr(frames[0][: shape[1]], expected_luma(first, *shape)) > 45
    assert psnr(frames[-1][: shape[1]], expected_luma(last, *shape)) > 45


def kinds(save: Save, tmp_path: Path, width: int, height: int) -> dict[str, Plan]:
    """One plan per path through the engine."""
    big = detailed(700, 500)
    picture, other = save(detailed(320, 240), "a.png"), save(gradient(200, 300), "b.png")
    near = [save(big[20 : 20 + height, left : left + width], f"n{left}.png") for left in (60, 72)]
    folder = clip_folder(tmp_path / "clip", big, save, 0.06, width, height)
    track = tmp_path / "track.npy"
    np.save(track, np.random.default_rng(1).uniform(-1, 1, (30_000, 2)).astype(np.float32))
    return {
        "picture": plan("orbit left", width, height, inputs={"image": picture}, watermark=True),
        "sound": plan("dolly in", width, height, inputs={"image": picture, "audio": track}),
        "last": plan("pan left", width, height, inputs={"last_image": picture}),
        "flow": plan("", width, height, inputs={"image": near[0], "last_image": near[1]}),
        "dissolve": plan("", width, height, inputs={"image": picture, "last_image": other}),
        "clip": plan("tilt up", width, height, inputs={"clip": folder}),
        "text": plan("mountains at dawn", width, height, sound=True, watermark=True),
    }


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_every_path_draws_every_shape(save: Save, tmp_path: Path, shape: tuple[int, int]) -> None:
    width, height = shape
    for name, of in kinds(save, tmp_path, width, height).items():
        frames = render(of)
        assert (frames.width, frames.height, frames.fps, frames.count) == (width, height, 24, 24)
        images = list(frames)
        assert len(images) == 24, name
        assert all(image.shape == (height * 3 // 2, width) and image.dtype == np.uint8 for image in images)
        assert len({image.tobytes() for image in images}) > 20, f"{name} stands still"
        steps = [psnr(a[:height], b[:height]) for a, b in pairwise(images)]
        assert min(steps) > 17, f"{name} jumps"
        assert 12 < np.mean([image[:height].mean() for image in images]) < 240
        if of.sound or "audio" in of.inputs:
            assert frames.audio is not None
            assert frames.audio.samples.shape == (48_000, 2)
            assert frames.audio.samples.dtype == np.float32
            assert 0 < np.abs(frames.audio.samples).max() <= 1
        else:
            assert frames.audio is None


def test_the_same_seed_gives_the_same_bytes(save: Save, tmp_path: Path) -> None:
    for name, of in kinds(save, tmp_path, 160, 96).items():
        assert digest(drawn(of)) == digest(drawn(of)), name


def test_the_number_of_threads_changes_no_byte(save: Save) -> None:
    of = plan("orbit left", 160, 96, inputs={"image": save(detailed(320, 240))})
    alone = digest(drawn(of))
    frames = render(of)
    cv2.setNumThreads(2)
    assert digest(list(frames)) == alone


def test_another_seed_gives_another_film(save: Save) -> None:
    picture = save(detailed(320, 240))
    films = {digest(drawn(plan("a lake", 160, 96, seed=seed, inputs={"image": picture}))) for seed in range(4)}
    assert len(films) == 4


def test_the_watermark_changes_its_rectangle_only(save: Save) -> None:
    picture = save(np.full((144, 256, 3), 128, np.uint8))
    clean, marked = (drawn(plan("pan left", inputs={"image": picture}, watermark=on))[0] for on in (False, True))
    rows, columns = np.nonzero(clean[:144] != marked[:144])
    assert rows.size > 100
    assert rows.min() > 144 * 0.8
    assert columns.min() > 256 * 0.55


def test_a_caption_is_for_text_alone(save: Save) -> None:
    picture = save(np.full((144, 256, 3), 128, np.uint8))
    one, other = (drawn(plan(prompt, inputs={"image": picture}))[0] for prompt in ("pan left", "pan right"))
    assert np.array_equal(one, other)
    spoken = drawn(plan("a caption appears", seconds=0.5))[0][:144]
    assert spoken[110:, :100].max() > 150


def test_progress_is_reported_for_every_frame_and_cancel_stops_at_once(save: Save) -> None:
    of = plan(inputs={"image": save(gradient(64, 64))})
    control = Recorder()
    list(render(of, control))
    assert control.reports == [("generating", i + 1, 24) for i in range(24)]
    stopped = Recorder(cancel_at=5)
    with pytest.raises(Cancelled):
        list(render(of, stopped))
    assert len(stopped.reports) == 5


def test_a_cancelled_scene_leaves_no_hand_painting() -> None:
    frames = render(plan("a boat on the sea", 64, 36, kind="t2v"), Recorder(cancel_at=3))
    with pytest.raises(Cancelled):
        list(frames)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("far passes")]


def test_frames_are_drawn_as_they_are_taken(save: Save) -> None:
    control = Recorder()
    frames = iter(render(plan(seconds=30, inputs={"image": save(gradient(64, 64))}), control))
    next(frames)
    assert len(control.reports) == 1


def test_the_report_says_what_was_used(save: Save) -> None:
    frames = render(plan(inputs={"image": save(gradient(64, 64))}))
    list(frames)
    assert frames.report.seed == 7
    assert frames.report.fingerprint == AnimaticEngine().load(full_card(), Recorder()).fingerprint
    assert frames.report.fingerprint.startswith("animatic-")
    assert set(frames.report.seconds) == {"setup", "draw"}
    assert frames.report.peak_bytes > 10_000_000


def test_a_plan_without_a_size_is_not_drawn(save: Save) -> None:
    values: dict[str, Any] = {**plan(inputs={"image": save(gradient(64, 64))}).as_json(), "width": None}
    with pytest.raises(Unsupported):
        render(Plan.from_json(values))


def test_sound_that_is_not_ours_is_refused(save: Save, tmp_path: Path) -> None:
    track = tmp_path / "track.npy"
    np.save(track, np.zeros((48_000, 1), np.int16))
    with pytest.raises(InvalidInput, match="expected 48 kHz stereo float32"):
        render(plan(inputs={"image": save(gradient(64, 64)), "audio": track}))


@pytest.mark.parametrize("pan", [0.05, -0.05])
def test_a_clip_goes_on_as_it_moved(save: Save, tmp_path: Path, pan: float) -> None:
    big = detailed(700, 400)
    folder = clip_folder(tmp_path / "clip", big, save, pan, 320, 180)
    frames = drawn(plan("static camera", 320, 180, seconds=2, inputs={"clip": folder}))
    last = cv2.imread(str(folder / "last.png"))
    assert last is not None
    assert psnr(frames[0][:180], expected_luma(np.asarray(last)[:, :, ::-1].astype(np.uint8), 320, 180)) > 45
    window = cv2.createHanningWindow((200, 100), cv2.CV_32F)
    middles = [frame[40:140, 60:260].astype(np.float32) for frame in frames]
    shifts = [cv2.phaseCorrelate(a, b, window)[0][0] for a, b in pairwise(middles)]
    before = -pan * 320 / 24
    assert np.mean(shifts[:8]) == pytest.approx(before, rel=0.35), "the picture slides on at the clip's speed"
    assert np.abs(np.mean(shifts[-8:])) < 0.1 * abs(before), "and comes to rest"


def test_a_static_camera_shows_the_picture_and_nothing_else(save: Save) -> None:
    frames = drawn(plan("static shot", inputs={"image": save(detailed(320, 240))}))
    assert all(np.array_equal(frame, frames[0]) for frame in frames)
