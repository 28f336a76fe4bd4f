"""The end of a clip: its motion read, and gone on with."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from rushes.engines.animatic.continuation import LIMIT, Drift, continued, read_drift

from .conftest import detailed


def moved(step: np.ndarray, count: int = 8) -> list[np.ndarray]:
    """A picture under the same motion again and again, cut to 320x180 from its middle."""
    big = detailed(800, 600)
    matrix, frames = np.eye(3), []
    for _ in range(count):
        seen = np.asarray(cv2.warpAffine(big, matrix[:2], (800, 600), flags=cv2.INTER_LINEAR))
        frames.append(seen[210:390, 240:560].astype(np.uint8))
        matrix = step @ matrix
    return frames


def about_middle(scale: float = 1.0, roll: float = 0.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    cos, sin = np.cos(roll) * scale, np.sin(roll) * scale
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    centre, back = np.eye(3), np.eye(3)
    centre[:2, 2], back[:2, 2] = (-399.5, -299.5), (399.5 + x, 299.5 + y)
    return back @ turn @ centre


@pytest.mark.parametrize(
    ("step", "drift"),
    [
        (about_middle(x=4), Drift(pan_x=-4 / 160 * 6)),
        (about_middle(y=-3), Drift(pan_y=3 / 160 * 6)),
        (about_middle(scale=1.02), Drift(zoom=np.log(1.02) * 6)),
        (about_middle(roll=0.01), Drift(roll=0.06)),
        (about_middle(), Drift()),
    ],
)
def test_the_drift_of_a_clip_is_read(save: Callable[..., Path], step: np.ndarray, drift: Drift) -> None:
    for k, frame in enumerate(moved(step)):
        folder = save(frame, f"clip/{k:06d}.png").parent
    found = read_drift(folder, 320, 180, 1)
    assert found.pan_x == pytest.approx(drift.pan_x, abs=0.012)
    assert found.pan_y == pytest.approx(drift.pan_y, abs=0.012)
    assert found.zoom == pytest.approx(drift.zoom, abs=0.012)
    assert found.roll == pytest.approx(drift.roll, abs=0.012)


@pytest.mark.parametrize("count", [1, 3])
def test_frames_without_anything_to_hold_on_to_do_not_drift(save: Callable[..., Path], count: int) -> None:
    for k in range(count):
        folder = save(np.full((180, 320, 3), 90, np.uint8), f"clip/{k:06d}.png").parent
    assert read_drift(folder, 320, 180, 1) == Drift()


def test_the_motion_starts_at_its_speed_and_dies_away() -> None:
    path = continued(Drift(pan_x=0.1, zoom=0.05), 120, 24)
    speed = np.diff(path.pan_x) * 24
    assert path.pan_x[0] == 0
    assert speed[0] == pytest.approx(0.1, rel=0.06)
    assert np.all(np.diff(speed) < 0)
    assert speed[-1] < 0.003
    assert path.zoom[-1] == pytest.approx(0.045, rel=0.1)


def test_a_clip_that_zooms_out_does_not_go_beyond_its_last_frame() -> None:
    path = continued(Drift(zoom=-0.3), 48, 24)
    assert not path.zoom.any()


def test_a_violent_clip_stays_in_the_picture() -> None:
    path = continued(Drift(pan_x=5, pan_y=-5, zoom=3, roll=3), 120, 24)
    assert all(np.abs(values).max() <= LIMIT for values in path.arrays())
