"""A shape said in pixels and said as a ratio."""

import pytest
from rushes.domain.frame_shape import pair, ratio_of, size_for_ratio

SORA = ["1792x1024", "1024x1792", "1280x720", "720x1280"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1280x720", (1280, 720)),
        ("1280*720", (1280, 720)),
        ("1280 X 720", (1280, 720)),
        ("16:9", (16, 9)),
        ("0:9", None),
        ("adaptive", None),
        ("16:9:4", None),
        ("9" * 400 + "x1", None),
    ],
)
def test_two_numbers_are_read_from_either_spelling(text: str, numbers: tuple[int, int] | None) -> None:
    assert pair(text) == numbers


@pytest.mark.parametrize(
    ("ratio", "usual", "size"),
    [
        ("16:9", "1792x1024", "1792x1024"),
        ("16:9", "720x1280", "1280x720"),
        ("9:16", "1792x1024", "1024x1792"),
        ("1:1", "1792x1024", None),
        ("nonsense", "1792x1024", None),
    ],
)
def test_a_ratio_becomes_the_size_nearest_to_the_usual_area(ratio: str, usual: str, size: str | None) -> None:
    assert size_for_ratio(ratio, SORA, usual) == size


def test_a_size_becomes_the_ratio_it_has() -> None:
    assert ratio_of("1920x1080", ["9:16", "16:9"]) == "16:9"
    assert ratio_of("1792x1024", ["9:16", "16:9"]) == "16:9"
    assert ratio_of("1000x1000", ["9:16", "16:9"]) is None
