"""Signed links: good for one path, one method, one time, and only if we made them."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis.strategies import characters, dictionaries, integers, sampled_from, text
from rushes.artifacts.links import Links, SigningKey, Verdict

OLD, NEW = SigningKey("old", b"a" * 32), SigningKey("new", b"b" * 32)
PATH = "/artifacts/0f9a.mp4"
LINKS = Links([OLD, NEW], "http://127.0.0.1:8000/")


def signed(path: str = PATH, method: str = "GET", expires: int = 1_000, links: Links = LINKS) -> dict[str, str]:
    """The query of a link, as the server sees it."""
    return dict(parse_qsl(urlsplit(links.sign(path, method=method, expires=expires)).query))


def judged(query: dict[str, str], path: str = PATH, method: str = "GET", now: float = 999.9) -> Verdict:
    return LINKS.judge(path, query, method=method, now=now)


def test_a_link_is_an_absolute_address_that_works() -> None:
    url = LINKS.sign(PATH, method="GET", expires=1_000)
    assert url.startswith("http://127.0.0.1:8000/artifacts/0f9a.mp4?")
    assert judged(signed()) is Verdict.GOOD
    assert judged(signed(), method="HEAD") is Verdict.GOOD, "HEAD reads what GET reads"


@pytest.mark.parametrize("now", [1_000, 1_000.1, 10**12])
def test_a_link_ends_on_the_second(now: float) -> None:
    assert judged(signed(), now=now) is Verdict.EXPIRED


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "2000"},
        {"expires": "1e9"},
        {"expires": "-1"},
        {"expires": "٣٠٠٠"},
        {"expires": "9" * 4000},
        {"expires": ""},
        {"kid": "old"},
        {"kid": "unknown"},
        {"kid": ""},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ü"},
    ],
    ids=str,
)
def test_a_changed_link_is_forged(change: dict[str, str]) -> None:
    assert judged(signed() | change) is Verdict.FORGED


def test_a_link_for_one_object_or_method_opens_no_other() -> None:
    assert judged(signed(), path="/artifacts/other.mp4") is Verdict.FORGED
    assert judged(signed(), method="PUT") is Verdict.FORGED
    assert judged(signed(method="PUT")) is Verdict.FORGED
    assert judged(signed(method="PUT"), method="PUT") is Verdict.GOOD


def test_a_missing_part_is_forged() -> None:
    for part in ("expires", "kid", "signature"):
        query = signed()
        del query[part]
        assert judged(query) is Verdict.FORGED


def test_an_expired_link_of_a_stranger_is_forged_and_not_expired() -> None:
    stranger = Links([SigningKey("new", b"c" * 32)], "http://127.0.0.1:8000")
    assert judged(signed(links=stranger), now=5_000) is Verdict.FORGED


def test_links_of_an_older_key_work_until_it_is_retired() -> None:
    query = signed(links=Links([OLD], "http://127.0.0.1:8000"))
    assert query["kid"] == "old"
    assert judged(query) is Verdict.GOOD
    assert Links([NEW], "").judge(PATH, query, method="GET", now=0) is Verdict.FORGED
    assert signed()["kid"] == "new"


@given(dictionaries(sampled_from(["expires", "kid", "signature", "x"]), text(characters(codec="utf-8"))), integers())
def test_no_query_breaks_the_judge_or_passes(query: dict[str, str], now: int) -> None:
    assert judged(query, now=now) is Verdict.FORGED
