"""Scenes: every combination of words paints, moves, and neither jumps nor leaves the legal range."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rushes.engines.animatic.painter import Scene
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.eagle import Eagle
from rushes.engines.animatic.painter.stage import stage_for

BIOMES = {
    "mountain": "mountains", "ocean": "an ocean", "lake": "a lake", "river": "a river", "forest": "a pine forest",
    "city": "a city", "desert": "a desert", "field": "a wheat field", "sky": "blue skies", "space": "a planet",
    "abstract": "a teapot",
}  # fmt: skip
TIMES = ("in daylight", "at sunset", "at dawn", "at night", "in overcast weather", "in neon colours")
WEATHERS = ("", "snowfall", "rain", "fog", "embers and fireflies", "thunderstorm")
SHAPES = ((128, 72), (72, 128), (96, 96))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    cv2.setNumThreads(1)


def luma(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    return frame[: frame.shape[0] * 2 // 3].astype(np.float64)


@pytest.mark.parametrize("biome", BIOMES)
@pytest.mark.parametrize("time", TIMES)
def test_every_biome_time_and_weather_paints_moves_and_does_not_jump(biome: str, time: str) -> None:
    # Half the weathers each, so that every two of biome, time and weather meet.
    half = (list(BIOMES).index(biome) + TIMES.index(time)) % 2
    for n, weather in list(enumerate(WEATHERS))[half::2]:
        # The shapes take turns, so that each weather meets each of them over the times of day.
        width, height = SHAPES[(n + TIMES.index(time)) % 3]
        prompt = f"{BIOMES[biome]} {time}, {weather}"
        scene = Scene(prompt, width, height, 48, 24, 5)
        assert scene.stage.reading.biome == biome, prompt
        frames = [scene.frame(i) for i in range(3)]
        frames.append(scene.frame(40))
        for frame in frames:
            assert frame.shape == (height * 3 // 2, width)
            assert frame.dtype == np.uint8
            assert luma(frame).min() >= 16 and luma(frame).max() <= 235, prompt
        assert luma(frames[0]).std() > 2, prompt
        moved = float(np.abs(luma(frames[3]) - luma(frames[0])).mean())
        assert moved > 0.15, f"{prompt} stands still: {moved}"
        for before, after in itertools.pairwise(frames[:3]):
            step = float(np.abs(luma(after) - luma(before)).mean())
            assert step < 9, f"{prompt} jumps: {step}"


@pytest.mark.parametrize("biome", BIOMES)
@pytest.mark.parametrize("size", SHAPES)
def test_every_biome_paints_in_every_shape(biome: str, size: tuple[int, int]) -> None:
    scene = Scene(f"{BIOMES[biome]}, pan right", *size, 12, 24, 3)
    frame = [scene.frame(i) for i in range(2)][-1]
    assert frame.shape == (size[1] * 3 // 2, size[0])
    assert luma(frame).std() > 2


@pytest.mark.parametrize(
    "prompt",
    [
        "eagle over mountains at sunset", "sailing boat on the sea, birds", "street at night in the rain",
        "aurora and milky way over a lake", "forest with fireflies at night", "foggy river with a boat",
    ],
)  # fmt: skip
def test_the_same_arguments_give_the_same_bytes(prompt: str) -> None:
    first, second = (Scene(prompt, 128, 72, 10, 24, 11) for _ in range(2))
    for i in range(3):
        assert np.array_equal(first.frame(i), second.frame(i))


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("size", SHAPES)
def test_a_sea_of_clouds_closes_the_frame_below_the_horizon(time: str, size: tuple[int, int]) -> None:
    with_clouds, bare = (Scene(f"{words} {time}", *size, 4, 24, 6) for words in ("above the clouds", "the sky"))
    assert with_clouds.stage.horizon < bare.stage.horizon
    low = luma(with_clouds.frame(0))[-size[1] // 5 :]
    assert low.std() > 1.5
    # Nothing of the empty frame behind the banks shows through.
    assert low.min() > 17


def test_clear_has_fewer_clouds_than_cloudy_and_overcast_closes_the_sky() -> None:
    covers = [Scene(p, 128, 72, 2, 24, 0).stage.light.cover for p in ("a clear sky", "the sky", "clouds in the sky")]
    assert covers == sorted(covers) and covers[0] < covers[2]
    assert Scene("an overcast sky", 128, 72, 2, 24, 0).stage.light.cover > 0.8


def test_clouds_drift_evenly_and_a_time_lapse_drifts_faster() -> None:
    def change(prompt: str) -> float:
        scene = Scene(prompt, 160, 90, 48, 24, 4)
        return float(np.abs(luma(scene.frame(24)) - luma(scene.frame(0)))[:70].mean())

    assert change("clouds in the sky, time lapse, static camera") > 1.5 * change("clouds in the sky, static camera")


def test_an_eagle_is_larger_and_moves_where_the_sky_is_all_there_is() -> None:
    def shapes(prompt: str) -> list[NDArray[np.bool_]]:
        eagle = Eagle(stage_for(prompt, 160, 90, 48, 24, 4))
        seen: list[NDArray[np.bool_]] = []
        for i in (0, 47):
            canvas = Canvas(160, 90)
            canvas.y[:] = 200
            eagle.paint(canvas, i)
            seen.append(canvas.y != 200)
        return seen

    first, last = shapes("an eagle in the sky")
    far, _ = shapes("an eagle over mountains")
    assert first.sum() > 2 * far.sum() > 60
    assert (first & last).sum() < 0.5 * first.sum()


def test_another_seed_gives_another_picture() -> None:
    first, second = (Scene("mountains at dawn", 128, 72, 10, 24, seed).frame(0) for seed in (1, 2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("size", [(64, 112), (72, 128), (64, 64), (208, 64), (152, 64)])
@pytest.mark.parametrize(
    "subject", ["an eagle over mountains", "birds and a sailing boat on the ocean", "a ringed planet"]
)
def test_subjects_may_reach_over_the_border_of_small_and_tall_frames(size: tuple[int, int], subject: str) -> None:
    scene = Scene(subject + ", fast zoom in", *size, 40, 24, 9)
    for i in (0, 1, 20, 39):
        frame = scene.frame(i)
        assert frame.shape == (size[1] * 3 // 2, size[0])


@pytest.mark.parametrize("move", ["static", "pan left", "tilt up", "zoom out", "aerial", "fast push in and pan right"])
def test_camera_words_paint_without_seams(move: str) -> None:
    scene = Scene(f"mountains with fog, {move}", 128, 72, 24, 24, 2)
    frames = [luma(scene.frame(i)) for i in range(24)]
    steps = [np.abs(b - a).mean() for a, b in itertools.pairwise(frames)]
    assert max(steps) < 4 * np.median(steps) + 0.5


def test_a_still_camera_keeps_the_land_still_while_the_sky_moves() -> None:
    scene = Scene("mountains with clouds, static camera", 160, 90, 48, 24, 4)
    first, last = luma(scene.frame(0)), luma(scene.frame(47))
    difference = np.abs(last - first)
    assert difference[:20].mean() > 0.5
    assert difference[-8:].mean() < 0.5


def test_panning_right_moves_the_land_to_the_left() -> None:
    scene = Scene("desert dunes, pan right", 160, 90, 48, 24, 4)
    first, last = luma(scene.frame(0))[-20:], luma(scene.frame(47))[-20:]
    shifts = range(-24, 25)
    errors = [np.abs(np.roll(first, s, axis=1)[:, 30:-30] - last[:, 30:-30]).mean() for s in shifts]
    assert list(shifts)[int(np.argmin(errors))] < -2


def test_a_single_frame_and_odd_numbers_of_frames_paint() -> None:
    assert Scene("a lake", 96, 64, 1, 24, 0).frame(0).shape == (96, 96)
    assert Scene("a lake", 96, 64, 3, 24, 0).frame(0).shape == (96, 96)


def test_a_negative_or_huge_seed_is_only_another_seed() -> None:
    for seed in (-1, 2**70):
        assert Scene("a field", 96, 64, 4, 24, seed).frame(0).shape == (96, 96)


@pytest.mark.parametrize(
    "prompt",
    [
        "a calm ocean at dawn", "desert dunes at noon", "a skyline at night", "mountains",
        *(pytest.param(prompt, marks=pytest.mark.long) for prompt in (
            "a pine forest in fog", "a wheat field in summer", "a lake at sunset", "a deer in the forest",
            "a street in the rain",
        )),
    ],
)  # fmt: skip
def test_ten_seeds_of_one_prompt_are_ten_compositions(prompt: str) -> None:
    """What differs is where things are: pictures of 16 by 9 blurred pixels, in which no noise is left, differ by more
    than two frames of one video half a second apart."""

    def composition(seed: int, i: int = 0) -> NDArray[np.float64]:
        frame = luma(Scene(prompt + ", static camera", 128, 72, 48, 24, seed).frame(i))
        return cv2.resize(cv2.GaussianBlur(frame, (0, 0), 4), (16, 9), interpolation=cv2.INTER_AREA).astype(np.float64)

    first = composition(0)
    still = float(np.abs(composition(0, 12) - first).mean())
    pictures = [first, *(composition(seed) for seed in range(1, 10))]
    apart = [float(np.abs(a - b).mean()) for a, b in itertools.combinations(pictures, 2)]
    assert min(apart) > max(1.5 * still, 2.0), f"nearest {min(apart):.1f}, one video's own {still:.1f}"
