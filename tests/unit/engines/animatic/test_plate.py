"""Pictures made ready: colours by BT.709, the middle kept, sides of any kind."""

import numpy as np
import pytest
from rushes.engines.animatic.pixels import planes
from rushes.engines.animatic.plate import cover_crop, make_plate, to_frame

from .conftest import detailed, gradient


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((128, 128, 128), (126, 128, 128)),
    ],
)
def test_colours_are_bt709_in_limited_range(rgb: tuple[int, ...], yuv: tuple[int, ...]) -> None:
    frame = to_frame(np.full((16, 16, 3), rgb, np.uint8))
    found = tuple(int(plane[3, 3]) for plane in planes(frame, 16, 16))
    assert np.abs(np.array(found) - yuv).max() <= 1


@pytest.mark.parametrize("source", [(400, 300), (301, 999), (64, 64), (7, 5)])
@pytest.mark.parametrize("shape", [(16, 9), (9, 16), (1, 1)])
def test_the_middle_of_a_picture_is_kept_unstretched(source: tuple[int, int], shape: tuple[int, int]) -> None:
    rgb = gradient(*source)
    part = cover_crop(rgb, *shape)
    height, width = part.shape[:2]
    assert abs(width * shape[1] - height * shape[0]) <= max(shape)
    assert width == source[0] or height == source[1]
    left, top = (source[0] - width) // 2, (source[1] - height) // 2
    assert np.array_equal(part, rgb[top : top + height, left : left + width])


def test_only_pictures_that_are_enlarged_are_sharpened() -> None:
    small, large = detailed(200, 112), detailed(600, 338)
    soft = make_plate(large, 256, 144).y.astype(float)
    crisp = make_plate(small, 256, 144).y.astype(float)
    plain = make_plate(np.kron(small, np.ones((2, 2, 1), np.uint8)), 256, 144).y.astype(float)
    assert crisp.shape == soft.shape == (216, 384)
    assert crisp.std() > plain.std()


@pytest.mark.parametrize("source", [(1, 1), (3, 2), (5000, 40)])
def test_pictures_of_any_size_make_a_plate(source: tuple[int, int]) -> None:
    plate = make_plate(gradient(*source), 160, 96)
    assert plate.exact.shape == (144, 160)
    assert plate.small.shape[1] == 640
