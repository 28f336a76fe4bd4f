"""Any payload gets an answer: 200, or a 4xx with the flat body that names what is wrong. Never a server error."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rushes.catalog.loader import load_catalog
from rushes.domain.errors import HTTP_ERRORS
from rushes.domain.model_card import ModelCard, Parameter

CARDS = {card.id: card for card in load_catalog(None, test_models=True).cards}
# The engines refuse what cards allow, so that every engine and every kind of parameter is in.
MODELS = ["rushes-test", "wan2.7-i2v", "Veo3", "Kling-Image2Video-V2.1-Master", "Wan-AI_Wan2.1-T2V-14B"]
SUBMITTED = ["rushes-test", "Veo3"]
"""Models whose examples name no media of other hosts."""
ROLES = ["prompt", "image", "images", "last_frame", "duration", "seconds", "aspect_ratio", "size", "seed", "audio_url"]

ODD_NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63, 10**30, 0.1, -0.0, 1e308, float("nan"), float("inf")]
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "\ud800",
    "\u202e",
    "5s",
    "16:9",
    "1e9",
    "http://",
    "http://[",
    "data:",
    "data:image/png;base64,",
]
ODD_TEXTS += [
    "data:image/png;base64,AAAA",
    "AAAA" * 40,
    "http://127.0.0.1:1/x.png",
    "http://169.254.169.254/",
    "x" * 3000,
]
ODD_TEXTS += ["file:///etc/passwd", "'; DROP TABLE requests; --", "{{7*7}}", "%s%n", "../../x", "＊" * 50]

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from(ODD_NUMBERS)
    | st.sampled_from(ODD_TEXTS)
    | st.integers()
    | st.floats(width=32)
    | st.text(max_size=30)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def near(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values at and just beyond what a parameter allows."""
    values: list[Any] = [parameter.default, *parameter.options]
    for limit in (parameter.minimum, parameter.maximum):
        if limit is not None:
            values += [limit, limit - 1, limit + 1, str(limit)]
    return st.sampled_from([*values, "a quiet harbour"]) | anything


def payloads(card: ModelCard) -> st.SearchStrategy[Any]:
    """Half of them the card's own example with up to two changes, so that what is odd gets past the first check."""
    good = {"prompt": "grey", "seconds": 0.1} if card.id == "rushes-test" else dict(card.example)
    own = st.fixed_dictionaries({}, optional={each.name: near(each) for each in card.parameters})
    strange = st.dictionaries(st.sampled_from([*ROLES, "rushes_fault"]) | st.text(max_size=12), anything, max_size=3)
    change = st.sampled_from(card.parameters).flatmap(lambda each: st.tuples(st.just(each.name), near(each)))
    changes = st.lists(change | st.tuples(st.text(max_size=12), anything), max_size=2).map(dict)
    mutated = changes.map(lambda changed: {**good, **changed})
    return st.integers(0, 19).flatmap(
        lambda n: (
            anything if n == 0 else mutated if n < 11 else st.tuples(own, strange).map(lambda two: two[0] | two[1])
        )
    )


calls = st.sampled_from(MODELS).flatmap(lambda model: st.tuples(st.just(model), payloads(CARDS[model])))


def check(queue: httpx2.Client, model: str, payload: Any) -> None:
    body = json.dumps({"model": model, "payload": payload}).encode()
    headers = {"Content-Type": "application/json"}
    tried = queue.post("/requests", params={"dry_run": "true"}, content=body, headers=headers)
    answers = [tried]
    if model in SUBMITTED:
        made = queue.post("/requests", content=body, headers=headers)
        answers.append(made)
        assert made.status_code == tried.status_code, (tried.text, made.text)
        if made.status_code == 200:
            request_id = made.json()["request_id"]
            assert queue.delete(f"/requests/{request_id}").status_code == 200
    for answer in answers:
        assert answer.status_code < 500 or ordered(payload), answer.text
        if answer.status_code != 200:
            told = answer.json()
            assert set(told) == {"error", "message", "code", "retryable", "param", "detail"}
            assert HTTP_ERRORS[told["code"]].status == answer.status_code
            assert told["error"]


def ordered(payload: Any) -> bool:
    """Whether the payload itself asks for a server error."""
    return isinstance(payload, dict) and isinstance(payload.get("rushes_fault"), dict)


def storm(examples: int) -> Any:
    quiet = settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    return lambda test: quiet(given(call=calls)(test))


@storm(300)
def test_three_hundred_odd_payloads_are_answered(queue: httpx2.Client, call: tuple[str, Any]) -> None:
    check(queue, *call)


@pytest.mark.long
@pytest.mark.timeout(1200)
@storm(10_000)
def test_ten_thousand_odd_payloads_are_answered(queue: httpx2.Client, call: tuple[str, Any]) -> None:
    check(queue, *call)
