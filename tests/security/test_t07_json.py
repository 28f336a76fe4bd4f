"""T7: JSON that breaks parsers is a 400 at once; of two equal keys the last one counts everywhere."""

import time

import httpx2
import pytest
from gmicloud.local import LocalServer
from hypothesis import given, settings
from hypothesis import strategies as st
from rushes.api.body import MAX_DEPTH, decode
from rushes.domain.errors import ApiError

QUEUE = "/api/v1/ie/requestqueue/apikey"


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * levels + closing * levels


BAD = {
    "1,000 levels": nested(1_000),
    "100,000 levels": nested(100_000),
    "100,000 objects": nested(100_000, b'{"a":', b"}").replace(b":}", b":1}"),
    "33 levels": nested(MAX_DEPTH + 1),
    "never closed": b"[" * 100_000,
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "1e400": b"1e400",
    "lone surrogate": rb'"\ud800"',
    "half a pair": rb'"\udc00\ud800"',
    "raw surrogate": b'"\xed\xa0\x80"',
    "not UTF-8": b'"\xff"',
    "NUL": b'"\x00"',
    "nothing": b"",
    "two values": b"1 2",
    "comment": b"/**/1",
    "trailing comma": b"[1,]",
    "byte order mark": b"\xef\xbb\xbf1",
}


def within(body: bytes) -> bytes:
    """As a value of a payload."""
    return b'{"model":"rushes-test","payload":{"prompt":' + body + b"}}"


@pytest.fixture(scope="module")
def client(gmicloud_server: LocalServer):
    headers = {"Authorization": f"Bearer {gmicloud_server.api_key}", "Content-Type": "application/json"}
    with httpx2.Client(base_url=gmicloud_server.base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("path", [f"{QUEUE}/requests", "/video/Wan2_1", "/api/v1/me/auth-tokens"])
def test_what_breaks_parsers_is_refused_at_once(client: httpx2.Client, path: str, name: str) -> None:
    for body in (BAD[name], within(BAD[name])):
        took: list[float] = []
        for _ in range(5):
            begun = time.perf_counter()
            answer = client.post(path, content=body)
            took.append(time.perf_counter() - begun)
            assert (answer.status_code, answer.json()["retryable"]) == (400, False)
            if took[-1] < 0.05:
                break
        assert min(took) < 0.05


def test_a_number_of_5000_digits_is_refused(client: httpx2.Client) -> None:
    for number in (b"9" * 5000, b"-" + b"9" * 5000, b"1" + b"0" * 400 + b".5"):
        body = b'{"model":"rushes-test","payload":{"prompt":"x","seconds":' + number + b"}}"
        assert client.post(f"{QUEUE}/requests", content=body).status_code == 400


def test_exactly_32_levels_are_read() -> None:
    assert decode(nested(MAX_DEPTH)) is not None
    with pytest.raises(ApiError, match="more than 32 levels"):
        decode(nested(MAX_DEPTH + 1))


def test_of_two_equal_keys_the_last_one_is_checked_priced_and_echoed(client: httpx2.Client) -> None:
    body = (
        b'{"model":"sora","model":"skyreels-v4-text-to-video","payload":{"prompt":"a"},"payload":{"prompt":"a","duration":5,'
        b'"duration":10}}'
    )
    once = b'{"model":"skyreels-v4-text-to-video","payload":{"prompt":"a","duration":10}}'
    half = b'{"model":"skyreels-v4-text-to-video","payload":{"prompt":"a","duration":5}}'
    less = client.post(f"{QUEUE}/requests?dry_run=1", content=half).json()
    twice, plain = (client.post(f"{QUEUE}/requests?dry_run=1", content=each).json() for each in (body, once))
    assert twice["payload"]["duration"] == 10
    assert twice["quote_micro_usd"] == 2 * less["quote_micro_usd"] > 0
    assert (twice["quote_micro_usd"], twice["payload"]) == (plain["quote_micro_usd"], plain["payload"])
    made = client.post(f"{QUEUE}/requests", content=body).json()
    record = client.get(f"{QUEUE}/requests/{made['request_id']}").json()
    client.delete(f"{QUEUE}/requests/{made['request_id']}")
    assert record["payload"] == {"prompt": "a", "duration": 10}
    assert record["quote_micro_usd"] == plain["quote_micro_usd"]


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:0123456789.eE+-\\u truefalsn', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_a_400(body: bytes) -> None:
    try:
        decode(body)
    except ApiError as error:
        assert error.row.status == 400
