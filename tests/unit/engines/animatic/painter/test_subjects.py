"""Subjects: who is named, how many, where they are at home, and that each of them is seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rushes.engines.animatic.painter import Scene
from rushes.engines.animatic.painter.beasts import GALLOP, STAND, TROT, WALK, Gait, cycle, gait_for, moving
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.figure import bent, limb, step
from rushes.engines.animatic.painter.scenes import passes_for
from rushes.engines.animatic.painter.species import SPECIES
from rushes.engines.animatic.painter.subjects import SUBJECTS
from rushes.engines.animatic.painter.walkers import Walkers
from rushes.engines.animatic.painter.words import read


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    cv2.setNumThreads(1)


def luma(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    return frame[: frame.shape[0] * 2 // 3].astype(np.float64)


@pytest.mark.parametrize(
    ("prompt", "names", "counts"),
    [
        ("a lone horse gallops", ["horse"], [1]), ("a herd of horses", ["horse"], [4]),
        ("a couple walking", ["person"], [2]), ("two wolves in the snow", ["wolf"], [2]),
        ("a camel caravan", ["camel"], [4]), ("a cowboy riding a horse", ["rider"], [1]),
        ("a girl and her dog", ["person", "dog"], [1, 1]),
            ("a fox, a deer, a bear and a cat", ["fox", "deer", "bear"], [1] * 3),
        ("hot air balloons", ["balloon"], [4]), ("a hot air balloon", ["balloon"], [1]), ("no people", [], []),
        ("a category of stagnant carbon", [], []), ("a man reading in a library", [], []),
    ],
)  # fmt: skip
def test_subjects_are_read_in_order_with_their_number(prompt: str, names: list[str], counts: list[int]) -> None:
    found = read(prompt).subjects
    assert [subject.name for subject in found] == names
    assert [subject.count for subject in found] == counts


@pytest.mark.parametrize(
    ("prompt", "biome"),
    [
        ("a whale breaching", "ocean"), ("a camel", "desert"), ("an old castle", "mountain"),
            ("a dog running", "field"),
        ("a stag", "forest"), ("a spaceship", "space"), ("a dog on the beach", "ocean"),
            ("a whale under a blue sky", "ocean"),
        ("a balloon in the sky", "sky"), ("a train leaves the city", "city"), ("a dog in a bedroom", "abstract"),
    ],
)  # fmt: skip
def test_a_subject_without_a_place_is_painted_where_it_is_at_home(prompt: str, biome: str) -> None:
    assert read(prompt).biome == biome


PLACES = {
    "sheep": "a field",
    "cat": "a field",
    "oak": "a hill",
    "person": "a lake",
    "canoe": "a lake",
    "ship": "the sea",
}


def _words(name: str) -> str:
    return SUBJECTS[name][0].removesuffix("$")


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_can_be_seen_and_moves_with_the_scene(name: str) -> None:
    words = f"{_words(name)}, {PLACES.get(name, '')}, static camera"
    scene = Scene(words, 192, 108, 24, 24, 3)
    reading = scene.stage.reading
    assert [subject.name for subject in reading.subjects] == [name]
    # The same prompt, so the same random numbers, but nobody there.
    alone = replace(scene.stage, reading=replace(reading, subjects=(), marks=reading.marks - {"spaceship"}))
    canvas = Canvas(192, 108)
    passes = passes_for(alone)
    for i in (0, 12, 23):
        frame = luma(scene.frame(i))
        assert frame.min() >= 16 and frame.max() <= 235
        for part in passes:
            part.paint(canvas, i)
        if name not in ("whale", "dolphin") or i == 12:
            assert (np.abs(frame - luma(canvas.frame())) > 12).sum() > 25, f"{name} is not seen in frame {i}"


def test_walkers_cross_the_frame_evenly() -> None:
    scene = Scene("a black horse galloping through a snowy field, static camera", 320, 180, 48, 24, 3)
    columns: list[float] = []
    for i in range(0, 48, 6):
        dark = luma(scene.frame(i))[60:150] < 70
        columns.append(float(np.nonzero(dark.sum(axis=0) > 4)[0].mean()))
    steps = np.diff(columns)
    assert (np.sign(steps) == np.sign(steps[0])).all()
    assert np.abs(steps).min() > 0.4 * np.abs(steps).max() > 1


@pytest.mark.parametrize("shape", [(72, 128), (96, 96), (208, 64)])
@pytest.mark.parametrize(
    "prompt",
    [
        "elephants and giraffes in the savanna, zoom in", "a couple on the beach with palm trees",
            "a train in the mountains",
        "a lighthouse on a rocky coast at night", "balloons over the desert, aerial", "a castle on a hill, fog",
        "a whale and a ship at sea, pan left", "people in a neon street in the rain", "a fox in a snowy field, tilt up",
        "a spaceship near a planet", "an oak on a hill in autumn, falling leaves", "dolphins, fast zoom out",
    ],
)  # fmt: skip
def test_subjects_paint_in_every_shape_to_the_last_frame(prompt: str, shape: tuple[int, int]) -> None:
    scene = Scene(prompt, *shape, 30, 24, 8)
    for i in (0, 15, 29):
        frame = scene.frame(i)
        assert frame.shape == (shape[1] * 3 // 2, shape[0])
        assert luma(frame).std() > 2


def test_the_same_subject_twice_gives_the_same_bytes() -> None:
    prompt = "a herd of horses galloping through a flower meadow, a windmill, petals"
    first, second = (Scene(prompt, 160, 90, 24, 24, 5) for _ in range(2))
    for i in (0, 1, 20):
        assert np.array_equal(first.frame(i), second.frame(i))


@pytest.mark.parametrize("name", SPECIES)
@pytest.mark.parametrize("gait", [STAND, WALK, TROT, GALLOP])
def test_no_animal_sinks_into_the_ground_or_comes_apart(name: str, gait: Gait) -> None:
    species = SPECIES[name]
    for phase in np.linspace(0, 1, 7):
        groups = moving(species, gait, float(phase))
        points = np.concatenate([outline for group in groups for outline in group.outlines])
        assert points[:, 1].min() >= -1e-9
        tall = max(y + r for _, y, r in (*species.torso, *species.neck, *species.head))
        assert points[:, 1].max() < 1.6 * tall + 0.3
        assert np.isfinite(points).all()


def test_a_foot_on_the_ground_stays_where_it_is_while_the_body_passes() -> None:
    horse = SPECIES["horse"]
    speed = 1.5
    rate = cycle(horse, WALK, speed)
    times = np.linspace(0.02, WALK.ground / rate - 0.02, 9)
    feet = [step(t * rate, horse.stride * 0.62 * WALK.long, 0.1, WALK.ground) for t in times]
    on_the_road = [x + speed * t for (x, _), t in zip(feet, times, strict=True)]
    assert np.ptp(on_the_road) < 1e-9
    assert all(y == 0 for _, y in feet)


def test_faster_animals_change_from_walk_to_trot_to_gallop() -> None:
    horse = SPECIES["horse"]
    assert [gait_for(horse, speed) for speed in (0.0, 1.5, 3.5, 7.0)] == [STAND, WALK, TROT, GALLOP]


@pytest.mark.parametrize("foot", [(0.1, 0.1), (0.5, 0.2), (-0.3, 0.4), (3.0, -2.0), (0.0, 1.0)])
def test_a_knee_keeps_the_length_of_thigh_and_shin(foot: tuple[float, float]) -> None:
    hip = (0.0, 1.0)
    for side in (1.0, -1.0):
        knee = bent(hip, foot, 0.5, 0.5, side)
        assert np.hypot(knee[0] - hip[0], knee[1] - hip[1]) == pytest.approx(0.5, abs=0.02) or foot == hip
        reach = np.hypot(foot[0] - hip[0], foot[1] - hip[1])
        if 0.01 < reach < 0.99:
            assert np.hypot(knee[0] - foot[0], knee[1] - foot[1]) == pytest.approx(0.5, abs=0.01)


def test_a_limb_of_one_place_is_a_disc_and_not_an_error() -> None:
    assert len(limb((0.0, 0.0, 0.1), (0.0, 0.0, 0.2))) == 2


@pytest.mark.parametrize(
    "prompt", ["a dog running on a beach", "a cat in a field", "a fox in the snow", "sheep on a hill"]
)
@pytest.mark.parametrize("seed", range(3))
def test_small_animals_stand_in_the_frame_whatever_the_horizon(prompt: str, seed: int) -> None:
    scene = Scene(f"{prompt}, static camera", 192, 108, 24, 24, seed)
    walkers = [part for part in scene._passes if isinstance(part, Walkers)]  # pyright: ignore[reportPrivateUsage]
    assert len(walkers) == 1
    canvas = Canvas(192, 108)
    canvas.y[:] = 250
    walkers[0].paint(canvas, 12)
    rows = np.nonzero((canvas.y != 250).any(axis=1))[0]
    assert rows.size
    assert rows.max() < 106
