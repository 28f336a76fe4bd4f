"""Words on frames: small, inside the frame, only where they belong."""

import numpy as np
import pytest
from rushes.engines.animatic.overlay import Overlay

from .conftest import SHAPES

LONG = "a prompt that goes on and on about the sea, the sky and everything between them " * 40


def changed(width: int, height: int, caption: str, watermark: bool = False) -> np.ndarray:
    frame = np.full((height * 3 // 2, width), 100, np.uint8)
    Overlay(width, height, caption=caption, watermark=watermark).blend(frame)
    return frame != 100


@pytest.mark.parametrize("shape", [*SHAPES, (1280, 720), (64, 64)])
@pytest.mark.parametrize("caption", ["a lake", LONG, "x" * 500, "tab\tand\nnew line"])
def test_a_caption_stays_small_and_at_the_bottom_left(shape: tuple[int, int], caption: str) -> None:
    width, height = shape
    luma = changed(width, height, caption, watermark=True)[:height]
    rows, columns = np.nonzero(luma)
    assert rows.size
    assert rows.min() > height * 0.35
    assert columns.min() < width * 0.1
    assert luma.mean() < (0.25 if width > 64 else 0.5)


@pytest.mark.parametrize("caption", ["", "   ", "猫が走る", "\x00\x07", "😀"])
def test_a_caption_that_cannot_be_drawn_is_left_out(caption: str) -> None:
    assert not changed(256, 144, caption).any()


def test_accents_are_dropped_rather_than_letters() -> None:
    assert np.array_equal(changed(512, 288, "café"), changed(512, 288, "cafe"))
    assert np.array_equal(changed(512, 288, "a 猫 b"), changed(512, 288, "a b"))


def test_colours_fade_under_the_words_in_the_same_place() -> None:
    mask = changed(256, 144, "a lake")
    luma, chroma = mask[:144], mask.reshape(-1)[256 * 144 : 256 * 144 * 5 // 4].reshape(72, 128)
    spread = np.kron(chroma, np.ones((2, 2), bool))
    assert chroma.any()
    assert not (spread & ~luma).sum() > luma.sum() * 0.1
