"""The view of a plate: inside the picture, without folds, exactly the picture where the camera rests."""

import numpy as np
import pytest
from PIL import Image
from rushes.engines.animatic.camera import directed, hand, hand_fade, scaled, travel
from rushes.engines.animatic.depth import nearness, steepest
from rushes.engines.animatic.grammar import Direction, Move
from rushes.engines.animatic.pixels import F32
from rushes.engines.animatic.plate import Plate, make_plate
from rushes.engines.animatic.shot import distance, nearness_of
from rushes.engines.animatic.warp import BEND_LIMIT, FOLD_LIMIT, Warp, fit_parallax

from .conftest import EXAMPLES, SHAPES, detailed

PROMPTS = ("dolly in", "fast dolly in", "orbit left", "truck right", "crane up", "dolly zoom", "handheld", "zoom out",
           "pan left, roll left")  # fmt: skip


@pytest.fixture(scope="module", params=["astronaut.png", "coffee.png", "detail"])
def rgb(request: pytest.FixtureRequest) -> np.ndarray:
    if request.param == "detail":
        return detailed(401, 299)
    return np.asarray(Image.open(EXAMPLES / request.param).convert("RGB"))


def warp_of(plate: Plate, near: F32, prompt: str, seconds: int) -> Warp:
    count = seconds * 24
    direction = directed(prompt, 3)
    path = travel(direction, count, 24)
    fade = hand_fade(count, 24)
    return Warp(plate, near, path.plus(scaled(hand(direction, count, 24, 3, prompt), fade)), (distance(path), fade))


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_no_mesh_folds_and_no_view_leaves_the_picture(rgb: np.ndarray, shape: tuple[int, int]) -> None:
    plate = make_plate(rgb, *shape)
    near = nearness_of(plate, 1)
    for prompt in PROMPTS:
        for seconds in (2, 5, 15):
            warp = warp_of(plate, near, prompt, seconds)
            for i in np.linspace(0, seconds * 24 - 1, 5).astype(int):
                mesh = warp.mesh(int(i))
                right, down = np.diff(mesh, axis=1)[:-1], np.diff(mesh, axis=0)[:, :-1]
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                assert area.min() > 0.2 * float(np.median(area)), (prompt, seconds, i)
                seen = np.abs(mesh[1:-1, 1:-1]) - np.array([1, warp.slope])
                assert seen.max() < 0.004, (prompt, seconds, i)


@pytest.mark.parametrize("prompt", ["pan left", "tilt up", "dolly in", "orbit right", "zoom out", "pan right, zoom in"])
def test_no_jump_is_bigger_than_the_ease_allows(prompt: str) -> None:
    plate = make_plate(detailed(300, 200), 256, 144)
    path = travel(directed(prompt, 1), 120, 24)
    warp = Warp(plate, nearness_of(plate, 1), path, (distance(path),))
    spots = np.stack([warp.mesh(i)[::6, ::6].reshape(-1, 2) for i in range(120)]).astype(float)
    way = np.abs(spots[-1] - spots[0]).max()
    steps = np.abs(np.diff(spots, axis=0)).max()
    turns = np.abs(np.diff(spots, n=2, axis=0)).max()
    # The ease's top speed is 1 / 0.78, its acceleration 1 / (0.22 * 0.78); parallax and the raised view may add half.
    assert way > 0.02
    assert steps < 1.5 * way / 0.78 / 119
    assert turns < 1.5 * way / (0.22 * 0.78) / 119**2 + 2e-5


def test_parallax_keeps_most_of_its_depth() -> None:
    for name in ("astronaut.png", "coffee.png"):
        plate = make_plate(np.asarray(Image.open(EXAMPLES / name).convert("RGB")), 256, 144)
        for move in (Move("dolly", 1), Move("truck", 1)):
            path = travel(Direction((move,)), 120, 24)
            field, kept = fit_parallax(nearness_of(plate, 1), path, 0.5625)
            share = (np.abs(kept.push).max() + np.abs(kept.truck_x).max()) / (
                np.abs(path.push).max() + np.abs(path.truck_x).max()
            )
            assert share >= 0.7, (name, move)
            any_way, downward = steepest(field.near)
            reach = np.hypot(1, 0.5625)
            assert (np.abs(kept.truck_x) + np.abs(kept.push) * reach).max() * any_way <= FOLD_LIMIT * 1.001
            assert np.abs(kept.truck_x).max() * downward <= BEND_LIMIT * 1.001


@pytest.mark.parametrize("shape", [*SHAPES, (250, 146), (854, 480)])
def test_a_camera_at_rest_looks_at_every_pixel_in_its_place(shape: tuple[int, int]) -> None:
    plate = make_plate(detailed(300, 200), *shape)
    path = travel(Direction(), 2, 24)
    warp = Warp(plate, nearness_of(plate, 1), path)
    for where, plane, (width, height) in zip(
        warp.maps(warp.mesh(0)), (plate.y, plate.u), (shape, (shape[0] // 2, shape[1] // 2)), strict=True
    ):
        assert where.shape == (height, width, 2)
        x = (np.arange(width) + 0.5) * plane.shape[1] / width - 0.5
        y = (np.arange(height) + 0.5) * plane.shape[0] / height - 0.5
        assert np.abs(where[..., 0] - x).max() < 2e-3
        assert np.abs(where[..., 1] - y[:, None]).max() < 2e-3


def test_nearness_is_bounded_and_puts_the_ground_before_the_sky() -> None:
    rgb = np.zeros((200, 320, 3), np.uint8)
    rgb[:110] = (120, 170, 235)
    rgb[110:] = (70, 90, 40)
    rgb[110:] += detailed(320, 90)[:, :, :1] // 4
    rgb[60:180, 140:180] = (200, 40, 30)
    near = nearness(rgb, 1)
    assert near.shape == (200, 320)
    assert 0 <= near.min() < near.max() <= 1
    assert near[20, 40] < 0.2 < near[190, 160]
    assert near[130, 160] > near[90, 40] + 0.2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_a_depth_too(level: int) -> None:
    near = nearness(np.full((180, 320, 3), level, np.uint8), 1)
    assert np.isfinite(near).all()
    assert 0 <= near.min() <= near.max() <= 1
