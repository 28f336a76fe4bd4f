"""How the camera travels: eased, as far as the prompt says, never a jump."""

import numpy as np
import pytest
from rushes.engines.animatic.camera import Path, directed, ease, hand, hand_fade, travel
from rushes.engines.animatic.grammar import Direction, Move


def test_the_ease_starts_and_ends_at_rest_and_is_even_in_between() -> None:
    u = np.linspace(0, 1, 1001)
    e = ease(u)
    speed = np.diff(e) * 1000
    assert (e[0], e[-1]) == (0, 1)
    assert np.all(speed >= 0)
    assert speed[0] < 0.01
    assert speed[-1] < 0.01
    assert np.allclose(speed[230:770], 1 / 0.78)
    assert np.abs(np.diff(speed)).max() * 1000 < 1.01 / (0.22 * 0.78)
    assert np.allclose(e + e[::-1], 1)


@pytest.mark.parametrize(
    ("move", "axis", "end"),
    [
        (Move("pan", 1), "pan_x", 0.034 * 3.6),
        (Move("pan", -1), "pan_x", -0.034 * 3.6),
        (Move("tilt", -1), "pan_y", -0.026 * 3.6),
        (Move("truck", 1), "truck_x", 0.024 * 3.6),
        (Move("crane", -1), "truck_y", -0.020 * 3.6),
        (Move("zoom", 1), "zoom", 0.055 * 3.6),
        (Move("dolly", 1), "push", 0.030 * 3.6),
        (Move("orbit", 1), "truck_x", 0.028 * 3.6),
        (Move("roll", 1), "roll", -0.012 * 3.6),
        (Move("pan", 1, 0.6), "pan_x", 0.6 * 0.034 * 3.6),
    ],
)
def test_a_move_goes_its_way_in_five_seconds(move: Move, axis: str, end: float) -> None:
    values = getattr(travel(Direction((move,)), 120, 24), axis)
    assert values[0] == 0
    assert values[-1] == pytest.approx(end)


@pytest.mark.parametrize("kind", ["zoom", "dolly"])
def test_a_move_out_starts_in_and_ends_at_the_whole_picture(kind: str) -> None:
    path = travel(Direction((Move(kind, -1),)), 48, 24)  # pyright: ignore[reportArgumentType]
    assert path.zoom[0] > 0.02
    assert np.all(np.diff(path.zoom) <= 0)
    assert all(values[-1] == 0 for values in path.arrays())


def test_two_moves_go_three_quarters_of_their_way() -> None:
    path = travel(Direction((Move("pan", 1), Move("zoom", 1))), 120, 24)
    assert path.pan_x[-1] == pytest.approx(0.75 * 0.034 * 3.6)
    assert path.zoom[-1] == pytest.approx(0.75 * 0.055 * 3.6)


def test_longer_clips_go_further_but_not_endlessly() -> None:
    ends = [travel(Direction((Move("pan", 1, 1.7),)), 24 * s, 24).pan_x[-1] for s in (2, 5, 10, 20, 30)]
    assert ends == sorted(ends)
    assert ends[-1] <= 0.034 * 9.001


def test_without_camera_words_the_seed_decides_and_only_the_seed() -> None:
    picks = {directed("a quiet lake", seed).moves for seed in range(40)}
    assert {(m.kind, m.sign) for (m,) in picks} >= {("dolly", 1), ("truck", -1), ("truck", 1)}
    assert any(m.kind == "orbit" for (m,) in picks)
    assert directed("a quiet lake", 5) == directed("a quiet lake", 5)


def test_a_refused_move_is_not_drawn_instead() -> None:
    assert all(directed("no dolly in, no orbit", seed).moves[0].kind == "truck" for seed in range(30))


def test_an_open_side_is_drawn_and_a_static_camera_stays() -> None:
    assert {directed("pan around the hall", seed).moves[0].sign for seed in range(20)} == {-1, 1}
    assert directed("static shot, pan left", 1).moves == ()
    assert directed("handheld", 1).moves == ()


def test_the_hand_shakes_only_where_it_may() -> None:
    count = 96
    shaky = hand(Direction(hold="handheld"), count, 24, 1, "x")
    calm = hand(Direction(), count, 24, 1, "x")
    still = hand(Direction(hold="static"), count, 24, 1, "x")
    assert 0.002 < np.abs(shaky.pan_x).max() <= 0.0085 * 1.3
    assert np.abs(calm.pan_x).max() < 0.0016
    assert all(not values.any() for values in still.arrays())
    assert np.abs(np.diff(shaky.pan_x)).max() < 0.0085 * 0.6


def test_the_hand_fades_in_and_out() -> None:
    fade = hand_fade(96, 24, end=True)
    assert fade[0] == fade[-1] == 0
    assert fade[48] == 1
    assert np.all(hand_fade(96, 24)[20:] == 1)
    assert hand_fade(96, 24, start=False)[0] == 1


def test_a_path_can_leave_or_arrive() -> None:
    path = travel(Direction((Move("pan", 1),)), 24, 24)
    assert path.leaving().pan_x[0] == path.arriving().pan_x[-1] == 0
    assert np.allclose(np.diff(path.pan_x), np.diff(path.arriving().pan_x))
    assert Path.still(24).plus(path, 0.5).pan_x[-1] == pytest.approx(path.pan_x[-1] / 2)
