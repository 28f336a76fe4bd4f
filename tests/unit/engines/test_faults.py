"""What the engine of rushes-test makes of a payload."""

from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.domain.payload import check_payload
from rushes.engines.engine import InvalidInput
from rushes.engines.faults import FaultsEngine

CARD = load_catalog(None, test_models=True).find("rushes-test")


@pytest.mark.parametrize(("given", "used"), [({}, 7), ({"seed": -1}, 7), ({"seed": 0}, 0), ({"seed": 42}, 42)])
def test_a_seed_that_was_asked_for_is_the_one_that_is_told(given: dict[str, Any], used: int) -> None:
    params = check_payload(CARD, {"prompt": "x", **given}).params
    assert FaultsEngine().normalise(CARD, params, 7).seed == used


def test_a_seed_below_nothing_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="seed must be a whole number of at least 0") as refused:
        FaultsEngine().normalise(CARD, check_payload(CARD, {"prompt": "x", "seed": -5}).params, 7)
    assert refused.value.field == "seed"
