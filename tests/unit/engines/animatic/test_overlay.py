"""Words on frames: small, inside the frame, only where they belong."""

import numpy as np
import pytest
from rushes.engines.animatic.overlay import Overlay

from .conftest import SHAPES

LONG = "a prompt that goes on and on about the sea, the sky and everything between them " * 40


def pixels(width: int, height: int, caption: str, watermark: bool = False) -> np.ndarray:
    frame = np.full((height * 3 // 2, width), 100, np.uint8)
    Overlay(width, height, caption=caption, watermark=watermark).blend(frame)
    return frame


def changed(width: int, height: int, caption: str, watermark: bool = False) -> np.ndarray:
    return pixels(width, height, caption, watermark) != 100


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


@pytest.mark.parametrize("caption", ["", "   ", "\x00\x07", "😀", "👍🏽"])
def test_a_caption_that_cannot_be_drawn_is_left_out(caption: str) -> None:
    assert not changed(256, 144, caption).any()


@pytest.mark.parametrize(
    ("caption", "other"),
    [
        ("café", "cafe"), ("žluťoučký kůň", "zlutoucky kun"), ("орёл", "орел"), ("αετός", "αετος"), ("猫", "犬"),
        ("ねこ", "ネコ"), ("고양이", "강아지"), ("đại bàng", "dai bang"),
    ],
)  # fmt: skip
def test_captions_keep_the_letters_of_their_script(caption: str, other: str) -> None:
    assert changed(512, 288, caption).any()
    assert not np.array_equal(pixels(512, 288, caption), pixels(512, 288, other))


@pytest.mark.parametrize(
    ("caption", "drawn"),
    [
        ("نسر في السماء", "[Arabic]"), ("a נשר b", "a [Hebrew] b"), ("बाज़ at dawn", "[Devanagari] at dawn"),
        ("นกอินทรี 🦅 flies", "[Thai] flies"),
    ],
)  # fmt: skip
def test_a_script_without_letters_is_named_in_its_place(caption: str, drawn: str) -> None:
    assert np.array_equal(pixels(512, 288, caption), pixels(512, 288, drawn))
    assert changed(512, 288, caption).any()


def test_a_sentence_without_spaces_goes_on_in_the_next_line() -> None:
    one, two = (np.nonzero(changed(512, 288, "空" * count)[:288])[0] for count in (20, 70))
    assert np.ptp(two) > 1.5 * np.ptp(one)
    assert not np.array_equal(pixels(512, 288, "空" * 60 + "猫"), pixels(512, 288, "空" * 60 + "犬"))


def test_colours_fade_under_the_words_in_the_same_place() -> None:
    mask = changed(256, 144, "a lake")
    luma, chroma = mask[:144], mask.reshape(-1)[256 * 144 : 256 * 144 * 5 // 4].reshape(72, 128)
    spread = np.kron(chroma, np.ones((2, 2), bool))
    assert chroma.any()
    assert not (spread & ~luma).sum() > luma.sum() * 0.1
