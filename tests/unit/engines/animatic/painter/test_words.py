"""Words: what a prompt is understood to ask for, and what it is not."""

from __future__ import annotations

import pytest
from rushes.engines.animatic.painter.words import Reading, read


@pytest.mark.parametrize(
    ("prompt", "biome", "time"),
    [
        ("A majestic eagle soaring through a mountain landscape at sunset", "mountain", "sunset"),
        ("A calm ocean at dawn with a small sailing boat", "ocean", "dawn"),
        ("Neon city street at night in the rain, slow push in", "city", "neon"),
        ("Snow falling in a quiet pine forest", "forest", "day"),
        ("Endless desert dunes under a blazing sun", "desert", "day"),
        ("The Milky Way over a lake, aurora, time lapse", "lake", "night"),
        ("A planet with rings seen from a spaceship", "space", "night"),
        ("A dog reading a book in a cozy library", "abstract", "day"),
        ("Wheat field on a windy day with clouds", "field", "day"),
        ("Foggy morning on a river between hills", "river", "dawn"),
        ("Northern lights", "lake", "night"),
        ("MOUNTAINS AT DUSK", "mountain", "sunset"),
        ("A majestic eagle soaring through a clear blue sky", "sky", "day"),
        ("birds over the clouds", "sky", "day"),
        ("above a sea of clouds at dawn", "sky", "dawn"),
        ("a starry night sky", "sky", "night"),
        ("a boat at sea under a blue sky", "ocean", "day"),
        ("mountains under drifting clouds", "mountain", "day"),
        ("northern lights in the sky", "lake", "night"),
        ("a skyline in the morning", "city", "dawn"),
        ("cloud computing", "abstract", "day"),
        ("", "abstract", "day"),
    ],
)
def test_a_prompt_is_read_as_biome_and_time(prompt: str, biome: str, time: str) -> None:
    reading = read(prompt)
    assert (reading.biome, reading.time) == (biome, time)


@pytest.mark.parametrize(
    "prompt",
    [
        "a new season of success", "she seated herself", "an understated portrait", "a researcher", "waved goodbye",
        "a spacious thought", "embarrassed", "a painting of the sea in a living room", "a teapot", "interstate",
    ],
)  # fmt: skip
def test_words_inside_other_words_and_views_indoors_do_not_count(prompt: str) -> None:
    assert read(prompt).biome == "abstract"


@pytest.mark.parametrize(
    ("prompt", "absent"),
    [
        ("ocean, no birds", "birds"), ("ocean without any birds", "birds"), ("a lake with no boat", "boat"),
        ("ocean without birds or boats", "boat"), ("a valley, not foggy", "fog"), ("street without rain", "rain"),
        ("mountains, no visible clouds", "clouds"), ("a snow-free pine wood, never windy", "wind"),
    ],
)  # fmt: skip
def test_a_negated_word_does_not_count(prompt: str, absent: str) -> None:
    assert not read(prompt).has(absent)


def test_a_negation_ends_at_a_comma_or_a_preposition() -> None:
    assert read("no people on the mountain").biome == "mountain"
    assert read("no cars, birds over the sea").has("birds")
    assert read("without rain but with fog").marks >= {"fog"}


@pytest.mark.parametrize(
    ("prompt", "mark"),
    [
        ("an eagle", "eagle"), ("seagulls over the sea", "birds"), ("a yacht at sea", "boat"),
        ("embers rising", "embers"), ("fireflies in a meadow", "fireflies"), ("misty hills", "fog"),
        ("a thunderstorm", "rain"), ("timelapse of clouds", "timelapse"), ("a blizzard", "snowfall"),
        ("golden wheat", "wheat"), ("a ringed planet", "rings"), ("a windy day", "wind"),
    ],
)  # fmt: skip
def test_weather_subjects_and_details_are_marked(prompt: str, mark: str) -> None:
    assert read(prompt).has(mark)


def test_snow_on_the_ground_is_not_snow_in_the_air() -> None:
    assert not read("snow-capped mountains").has("snowfall")
    assert read("snow falling over mountains").has("snowfall")


def test_a_spaceship_is_no_boat() -> None:
    assert not read("a spaceship near a planet").has("boat")


@pytest.mark.parametrize(
    ("prompt", "moves", "speed"),
    [
        ("ocean, slow push in", ("in",), 0.6), ("ocean, zoom out", ("out",), 1.0), ("city, pan left", ("left",), 1.0),
        ("city, pan right quickly", ("right",), 1.7), ("static camera, zoom in", ("static",), 1.0),
        ("aerial view of hills", ("aerial",), 1.0), ("hills, tilt up", ("up",), 1.0), ("hills", (), 1.0),
        ("very slow dolly in", ("in",), 0.4), ("waves in slow motion", (), 1.0),
    ],
)  # fmt: skip
def test_camera_words_are_read(prompt: str, moves: tuple[str, ...], speed: float) -> None:
    reading = read(prompt)
    assert (reading.moves, reading.speed) == (moves, speed)


def test_reading_is_pure_and_comparable() -> None:
    assert read("a lake at night") == read("a  LAKE at night")
    assert isinstance(read("x"), Reading)
