"""T8: a data URI costs what it weighs, and says media or is refused."""

import base64
import tracemalloc

import pytest
from rushes.media.inputs import MediaRefused, decode_base64, looks_like_base64, parse_data_uri

MEGABYTES_10 = 10 * 1024 * 1024


def test_fifty_megabytes_are_refused_before_anything_is_decoded() -> None:
    text = "data:image/png;base64," + "A" * 70_000_000
    tracemalloc.start()
    try:
        with pytest.raises(MediaRefused, match=r"Must be at most 10 MB, got 50.1 MB"):
            parse_data_uri(text, max_bytes=MEGABYTES_10, field="image")
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert grown < 100_000_000  # one copy of the text without its head, never the bytes


@pytest.mark.parametrize(
    "text",
    [
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:application/x-python;base64,aGVsbG8=",
        "data:image/png,%89PNG",
        "data:image/png;base64 ,aGVsbG8=",
        "data: image/png;base64,aGVsbG8=",
        "data:image/png\r\n;base64,aGVsbG8=",
        "data:image/png;" + "a=b;" * 1_000 + "base64,aGVsbG8=",
        "data:image/" + "x" * 10_000 + ";base64,aGVsbG8=",
        "data://image/png;base64,aGVsbG8=",
    ],
)
def test_only_the_strict_form_is_taken(text: str) -> None:
    with pytest.raises(MediaRefused, match="Must be a data URI"):
        parse_data_uri(text, max_bytes=100, field="image")


@pytest.mark.parametrize("packed", ["aGVs bG8=", "aGVs\tbG8=", "%61GVsbG8=", "aGVsbG8=\0", "=aGVsbG8", "aGVsbG8===="])
def test_blanks_percent_signs_and_loose_padding_are_no_base64(packed: str) -> None:
    with pytest.raises(MediaRefused, match="Must be valid base64"):
        decode_base64(packed, max_bytes=100, field="image")


def test_a_refusal_shows_only_the_start_of_what_was_sent() -> None:
    with pytest.raises(MediaRefused) as refusal:
        parse_data_uri("data:text/html;base64," + "A" * 5_000, max_bytes=100_000, field="image")
    assert len(refusal.value.fault.given or "") <= 40
    assert len(str(refusal.value)) < 200


def test_the_grammar_reads_long_hostile_texts_in_no_time() -> None:
    for text in ("data:" + ";a=b" * 500_000, "data:image/png" + ";" * 2_000_000, "A" * 3_000_000 + "!"):
        looks_like_base64(text)
        with pytest.raises(MediaRefused):
            parse_data_uri(text, max_bytes=100, field="image")


def test_bytes_come_back_as_they_were() -> None:
    body = bytes(range(256)) * 4_000
    text = "data:video/mp4;base64," + base64.b64encode(body).decode()
    assert parse_data_uri(text, max_bytes=len(body), field="video") == body
