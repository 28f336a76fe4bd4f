"""Reading is lenient: nothing odd costs a whole answer."""

from __future__ import annotations

from typing import Any

import pytest
from gmicloud import GetModelResponse, GetRequestResponse, RequestStatus
from gmicloud._internal._answers import read, read_list, read_object, refusal
from gmicloud._internal._step import Answer, Call
from gmicloud.errors import (
    APIStatusError,
    ArtifactExpiredError,
    AuthenticationError,
    BadAnswerError,
    GmiError,
    InsufficientCreditsError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from hypothesis import given
from hypothesis import strategies as st

CALL = Call("GET", "https://host/path?key=secret", request_id="r")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_a_status_compares_and_prints_as_the_word() -> None:
    record = GetRequestResponse.model_validate({"request_id": "r", "status": "success"})
    assert record.status is RequestStatus.SUCCESS
    assert (record.status == "success", f"{record.status}") == (True, "success")


@pytest.mark.parametrize("name", ["first_frame_url", "last_frame_url", "preview_url", "manifest_url"])
@pytest.mark.parametrize(
    ("outcome", "link"),
    [
        (None, None),
        ({}, None),
        ({"video_url": "v"}, None),
        ({"{name}": None}, None),
        ({"{name}": 7}, None),
        ({"{name}": "https://host/it"}, "https://host/it"),
    ],
)
def test_links_of_an_outcome_are_there_or_none(name: str, outcome: dict[str, Any] | None, link: str | None) -> None:
    given = outcome and {key.replace("{name}", name): value for key, value in outcome.items()}
    record = GetRequestResponse.model_validate({"request_id": "r", "status": "success", "outcome": given})
    assert getattr(record, name) == link


def test_unknown_words_and_fields_are_kept() -> None:
    record = GetRequestResponse.model_validate({"request_id": "r", "status": "paused", "mood": "calm"})
    assert (record.status, record.is_final, record.model_extra) == ("paused", False, {"mood": "calm"})


def test_fractions_where_integers_were_promised_are_kept() -> None:
    card = GetModelResponse.model_validate({"model": "m", "price_info": {"price": 0.07}, "created_at": 1.5})
    assert (card.price_info.price, card.created_at) == (0.07, 1.5)


def test_a_null_where_a_value_belongs_is_the_default() -> None:
    card = GetModelResponse.model_validate({"model": "m", "price_info": None, "parameters": None, "host_type": None})
    assert (card.price_info.price, card.parameters, card.host_type) == (0, [], "")


def test_a_value_of_another_kind_is_kept_as_it_came() -> None:
    card = GetModelResponse.model_validate({"model": "m", "created_at": "yesterday", "host_type": 7, "tags": "one"})
    assert (card.created_at, card.host_type, card.tags) == ("yesterday", 7, "one")


@given(st.dictionaries(st.sampled_from(sorted(GetRequestResponse.model_fields)), JSON))
def test_no_record_with_an_id_is_lost(body: dict[str, Any]) -> None:
    record = GetRequestResponse.model_validate({**body, "request_id": "r"})
    assert record.request_id == "r"
    assert record.video_url is None or isinstance(record.video_url, str)
    assert record.error_text is None or isinstance(record.error_text, str)


@pytest.mark.parametrize(
    "outcome",
    [
        {"video_url": "https://v"},
        {"media_urls": [{"id": "0", "url": "https://v"}]},
        {"media_urls": ["https://v"]},
        {"medias": [{"url": "https://v"}]},  # codespell:ignore medias
    ],
)
def test_the_video_is_found_in_every_shape_in_use(outcome: dict[str, Any]) -> None:
    record = GetRequestResponse.model_validate({"request_id": "r", "status": "success", "outcome": outcome})
    assert record.video_url == "https://v"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "why"},
        {"outcome": {"error": "why"}},
        {"outcome": {"error": {"code": 1, "message": "why"}}},
        {"outcome": {"fail_reason": "why"}},
        {"outcome": {"message": "why"}},
    ],
)
def test_the_reason_is_found_in_every_shape_in_use(body: dict[str, Any]) -> None:
    record = GetRequestResponse.model_validate({"request_id": "r", "status": "failed", **body})
    assert record.error_text == "why"


def answer(status: int, content: bytes, **headers: str) -> Answer:
    return Answer(CALL, status, headers, content)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, InsufficientCreditsError),
        (403, PermissionDeniedError),
        (410, ArtifactExpiredError),
        (413, InvalidRequestError),
        (418, APIStatusError),
        (422, InvalidRequestError),
        (429, RateLimitError),
        (500, ServerError),
        (599, ServerError),
    ],
)
def test_each_status_has_its_type_even_without_a_readable_body(status: int, kind: type[GmiError]) -> None:
    for content in (b"", b"<html>", b"[1]", b"\xff", b'{"error": {"deep": 1}}', b"[" * 100_000):
        error = refusal(answer(status, content))
        assert type(error) is kind
        assert isinstance(error, GmiError)
        assert (error.status_code, error.request_id) == (status, "r")
        assert "secret" not in str(error)
        assert str(error).startswith("GET https://host/path was refused")


@pytest.mark.parametrize(
    "body", [b'{"error": "why"}', b'{"message": "why"}', b'{"detail": "why"}', b'{"error": {"message": "why"}}']
)
def test_the_text_is_found_wherever_servers_put_it(body: bytes) -> None:
    assert str(refusal(answer(400, body))) == "why"


def test_a_text_without_end_is_cut() -> None:
    assert len(str(refusal(answer(400, b'{"error": "' + b"x" * 100_000 + b'"}')))) <= 2000


def test_a_redirect_is_explained_and_not_followed() -> None:
    assert "redirect" in str(refusal(answer(302, b"", location="https://elsewhere")))


@pytest.mark.parametrize("content", [b"<html>", b"", b"[1, 2]", b"7", b"{}", b'{"status": "queued"}', b"[" * 100_000])
def test_an_answer_that_is_no_record_is_a_typed_error(content: bytes) -> None:
    with pytest.raises(BadAnswerError) as caught:
        read(answer(200, content), GetRequestResponse)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b'{"requests": 7}', b'{"requests": [7]}', b'{"requests": [{"status": "x"}]}'])
def test_a_list_of_something_else_is_a_typed_error(content: bytes) -> None:
    with pytest.raises(BadAnswerError, match="requests"):
        read_list(answer(200, content), "requests", GetRequestResponse)


def test_an_object_is_read_as_it_is() -> None:
    assert read_object(answer(200, b'{"a": 1}')) == {"a": 1}
