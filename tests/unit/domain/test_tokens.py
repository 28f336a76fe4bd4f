"""Tokens are counted by a rule one can check by hand."""

import pytest
from rushes.domain.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \n\t", 0),
        ("cat", 1),
        ("cats", 1),
        ("kitten", 2),
        ("a cat", 2),
        ("hello world!", 5),
        ("a_b", 3),
        ("café", 1),
        ("24fps", 2),
        ("你好，世界", 5),
        ("カタカナ", 4),
        ("한국어", 3),
        ("𠀀𠀁", 2),
        ("cat猫", 2),
        ("🙂🙂", 2),
    ],
)
def test_the_rule_counts_groups_of_four_and_every_other_sign(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_counting_stops_just_past_the_limit() -> None:
    assert count_tokens("word " * 1_000_000, stop_after=10) == 11
    assert count_tokens("word " * 10, stop_after=10) == 10
