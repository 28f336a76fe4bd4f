"""The model object has every key of the wire contract, with types that published clients can read."""

import json
from typing import Any

import pytest
from rushes.catalog.describe import model_object
from rushes.catalog.guide import guide
from rushes.catalog.loader import Catalog, load_catalog

CARDS = load_catalog(test_models=True).cards

# WIRE.md section 2.4: the keys that are always there.
KEYS: dict[str, type] = {
    **dict.fromkeys(("model", "org_id", "display_name", "brief_description", "detailed_description"), str),
    **dict.fromkeys(("model_type", "status", "pricing_details", "icon_link", "background_image_url"), str),
    **dict.fromkeys(("external_api_endpoint", "external_api_url", "external_provider", "host_type"), str),
    **dict.fromkeys(("engine", "task"), str),
    **dict.fromkeys(("tags", "aliases", "parameters"), list),
    **dict.fromkeys(("modalities", "price_info", "internal_parameters"), dict),
    **dict.fromkeys(("qworkers", "created_at", "updated_at"), int),
    **dict.fromkeys(("available", "accessible"), bool),
}
PARAMETER_KEYS = {"name", "display_name", "description", "type", "required", "default_value", "options"}
PARAMETER_KEYS |= {"min_value", "max_value", "key", "min", "max", "step"}
TYPES = {"string", "enum", "integer", "float", "boolean", "image", "audio", "video", "array", "json"}


def described(card: Any) -> dict[str, Any]:
    return model_object(card, engine="animatic", available=True, accessible=False, qworkers=3)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_key_is_present_with_its_type(card: Any) -> None:
    model = described(card)
    assert {name: type(model[name]) for name in KEYS} == KEYS
    assert all(type(model[name]) is str and model[name] for name in ("model", "org_id", "brief_description"))
    assert type(model["price_info"]["price"]) is int
    assert model["price_info"]["unit"] in ("second", "request", "image")
    assert model["pricing_details"]
    for parameter in model["parameters"]:
        assert parameter.keys() >= PARAMETER_KEYS
        assert parameter["type"] in TYPES
        assert parameter["key"] == parameter["name"]
        assert (parameter["min"], parameter["max"]) == (parameter["min_value"], parameter["max_value"])
        assert parameter["display_name"]
    assert json.loads(json.dumps(model)) == model


def test_limits_defaults_and_options_are_those_of_the_documents(catalog: Catalog) -> None:
    parameters = {p["name"]: p for p in described(catalog.find("wan2.7-i2v"))["parameters"]}
    duration, resolution, seed = parameters["duration"], parameters["resolution"], parameters["seed"]
    assert (duration["min"], duration["max"], duration["default_value"], duration["type"]) == (2, 15, 5, "integer")
    assert (resolution["options"], resolution["default_value"]) == (["720P", "1080P"], "1080P")
    assert (seed["min_value"], seed["max_value"], seed["default_value"]) == (0, 2147483647, None)
    assert parameters["first_frame"]["min"] is None
    veo = {p["name"]: p for p in described(catalog.find("Veo3"))["parameters"]}
    assert veo["durationSeconds"]["options"] == ["8", "6", "4"]
    assert (veo["prompt"]["display_name"], veo["prompt"]["required"]) == ("Text Prompt", True)


def test_options_that_would_be_refused_are_not_offered(catalog: Catalog) -> None:
    parameters = {p["name"]: p for p in described(catalog.find("skyreels-v4-image-to-video"))["parameters"]}
    assert parameters["mode"]["options"] == ["std"]


@pytest.mark.parametrize(
    ("model", "inputs", "outputs"),
    [
        ("Veo3", {"text": True, "image": False}, ["video"]),
        ("wan2.7-i2v", {"text": False, "image": False, "audio": False, "video": False}, ["video"]),
        ("skyreels-v4-image-to-video", {"text": True, "image": True}, ["video", "audio"]),
        ("Kling-Text2Video-V2.1-Master", {"text": False}, ["video"]),
    ],
)
def test_modalities_follow_the_parameters(
    catalog: Catalog, model: str, inputs: dict[str, bool], outputs: list[str]
) -> None:
    modalities = described(catalog.find(model))["modalities"]
    assert {entry["type"]: entry["required"] for entry in modalities["input"]} == inputs
    assert [entry["type"] for entry in modalities["output"]] == outputs


def test_prices_are_whole_micro_dollars_and_prose_that_clients_parse(catalog: Catalog) -> None:
    model = described(catalog.find("seedance-2-0-260128"))
    assert model["price_info"] == {"price": 152000, "pricing_type": "per_second", "unit": "second"}
    assert model["pricing_details"] == "480p=$0.07, 720p=$0.152, 1080p=$0.374"
    assert described(catalog.find("wan3.0-video"))["pricing_details"] == (
        "480P: $0.05/second; 720P: $0.10/second; 1080P: $0.20/second"
    )


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_the_guide_names_every_parameter_and_shows_a_payload_that_works(card: Any) -> None:
    text = guide(card)
    assert text.startswith(f"# {card.id} API usage guide\n\n## Overview\n")
    assert all(f"| `{parameter.name}` |" in text for parameter in card.parameters)
    body = text.split("-d '")[1].split("'\n```")[0].replace("'\\''", "'")
    assert json.loads(body) == {"model": card.id, "payload": dict(card.example)}
    assert all(rule.text.rstrip(".") in text for rule in card.rules)
    assert ("this is our default" in text) is not card.price.public


def test_the_guide_is_honest_about_what_renders(catalog: Catalog) -> None:
    card = catalog.find("wan2.7-i2v")
    assert "it is not Wan 2.7 image to video" in guide(card)
    assert "Once the operator has configured gmi" in guide(card)
    assert "it is not" not in guide(card, engine="gmi")
    assert "the engine is `gmi`" in guide(card, engine="gmi")


def test_a_documented_sentence_and_the_token_rule_are_in_the_guide(catalog: Catalog) -> None:
    text = guide(catalog.find("skyreels-v4-image-to-video"))
    assert 'currently only "std" is supported' in text
    assert "Tokens are counted by a rule of our own" in text


def test_headings_can_start_deeper(catalog: Catalog) -> None:
    lines = guide(catalog.find("Veo3"), level=2).splitlines()
    assert [line for line in lines if line.startswith("#")][:2] == ["## Veo3 API usage guide", "### Overview"]
