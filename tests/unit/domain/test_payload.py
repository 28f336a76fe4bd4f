"""What check_payload makes of whole payloads on the cards of the catalogue."""

from typing import Any

import pytest
from rushes.catalog.loader import Catalog
from rushes.domain.errors import InvalidPayload
from rushes.domain.payload import MediaValue, check_payload

IMAGE = "https://example.com/a.png"

# Every payload printed in the seed documents, with the parameters it turns into beside the defaults.
SAMPLES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "Veo3",
        {
            "prompt": "A majestic eagle soaring through a mountain landscape at sunset",
            "durationSeconds": "8",
            "aspectRatio": "16:9",
            "negativePrompt": "blurry, low quality, distorted",
            "personGeneration": "allow_adult",
            "seed": None,
        },
        {
            "prompt": "A majestic eagle soaring through a mountain landscape at sunset",
            "durationSeconds": "8",
            "aspectRatio": "16:9",
            "negativePrompt": "blurry, low quality, distorted",
            "personGeneration": "allow_adult",
        },
    ),
    (
        "wan2.7-i2v",
        {
            "prompt": "Slow cinematic pan around a futuristic tower at sunset with neon accents",
            "first_frame": "https://example.com/start-frame.jpg",
            "last_frame": "https://example.com/end-frame.jpg",
            "negative_prompt": "blurry, low quality, distorted",
            "resolution": "1080P",
            "duration": 10,
            "prompt_extend": True,
            "watermark": False,
            "seed": 987654321,
        },
        {
            "prompt": "Slow cinematic pan around a futuristic tower at sunset with neon accents",
            "negative_prompt": "blurry, low quality, distorted",
            "first_frame": "https://example.com/start-frame.jpg",
            "last_frame": "https://example.com/end-frame.jpg",
            "resolution": "1080P",
            "duration": 10,
            "prompt_extend": True,
            "watermark": False,
            "seed": 987654321,
        },
    ),
    (
        "skyreels-v4-image-to-video",
        {
            "prompt": "A cat slowly turns its head and looks at the camera with curious eyes",
            "first_frame_image": "https://example.com/cat-photo.jpg",
            "duration": 5,
            "sound": False,
            "mode": "std",
        },
        {
            "prompt": "A cat slowly turns its head and looks at the camera with curious eyes",
            "first_frame_image": "https://example.com/cat-photo.jpg",
            "duration": 5,
            "sound": False,
            "mode": "std",
        },
    ),
    (
        "Wan-AI_Wan2.1-T2V-14B",
        {"prompt": "A dog reading a book in a cozy library", "video_length": 5},
        {"prompt": "A dog reading a book in a cozy library", "video_length": 5, "prompt_extend": False},
    ),
    (
        "Wan-AI_Wan2.1-T2V-14B",
        {
            "prompt": "A beautiful sunset over mountains",
            "video_length": 5,
            "negative_prompt": "blurry, low quality",
            "cfg_scale": 7.5,
            "seed": 42,
        },
        {
            "prompt": "A beautiful sunset over mountains",
            "video_length": 5,
            "prompt_extend": False,
            "seed": 42,
            "negative_prompt": "blurry, low quality",
            "cfg_scale": 7.5,
        },
    ),
    (
        "Image-to-Video-Model",
        {
            "image": "https://example.com/input-image.jpg",
            "prompt": "Animate this image with gentle movement",
            "duration": 5,
            "cfg_scale": 0.5,
        },
        {
            "image": "https://example.com/input-image.jpg",
            "prompt": "Animate this image with gentle movement",
            "duration": 5,
            "cfg_scale": 0.5,
        },
    ),
    (
        "Wan2_1",
        {"prompt": "Baseball player hitting the ball, slow motion.", "image_url": "PUT YOUR IMAGE URL HERE"},
        {
            "prompt": "Baseball player hitting the ball, slow motion.",
            "image_url": "PUT YOUR IMAGE URL HERE",
            "duration": "5",
            "aspect_ratio": "16:9",
            "negative_prompt": "blur, distort, and low quality",
            "seed_value": "90347039510843",
        },
    ),
]


@pytest.mark.parametrize(("model", "payload", "params"), SAMPLES)
def test_every_payload_of_the_documents_passes_as_printed(
    catalog: Catalog, model: str, payload: dict[str, Any], params: dict[str, Any]
) -> None:
    checked = check_payload(catalog.find(model), payload)
    assert checked.params == params
    assert checked.warnings == ()


# model, payload, the message as a client reads it.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "skyreels-v4-image-to-video",
        {},
        "prompt (Required parameter is missing), first_frame_image (Required parameter is missing)",
    ),
    (
        "skyreels-v4-image-to-video",
        {"prompt": "  ", "first_frame_image": IMAGE, "duration": 16},
        "prompt (Required parameter is missing), duration (Must be between 3 and 15)",
    ),
    (
        "skyreels-v4-image-to-video",
        {"prompt": "x", "first_frame_image": IMAGE, "mode": "pro"},
        'mode (currently only "std" is supported)',
    ),
    (
        "skyreels-v4-image-to-video",
        {"prompt": None, "first_frame_image": IMAGE},
        "prompt (Required parameter is missing)",
    ),
    ("wan2.7-i2v", {}, "prompt (At least one of prompt, first_frame, last_frame, first_clip is required)"),
    ("wan2.7-i2v", {"prompt": ""}, "prompt (At least one of prompt, first_frame, last_frame, first_clip is required)"),
    (
        "wan2.7-i2v",
        {"prompt": "x" * 1501, "duration": 1, "resolution": "4K", "seed": -3},
        "prompt (Must be at most 1500 characters and has 1501), resolution (Must be one of 720P, 1080P), "
        "duration (Must be between 2 and 15), seed (Must be between 0 and 2147483647)",
    ),
    (
        "Kling-Text2Video-V2.1-Master",
        {},
        "prompt (At least one parameter is required, of prompt, negative_prompt, duration, aspect_ratio, cfg_scale)",
    ),
    (
        "Kling-Text2Video-V2.1-Master",
        {"nonsense": 1, "prompt": None},
        "prompt (At least one parameter is required, of prompt, negative_prompt, duration, aspect_ratio, cfg_scale)",
    ),
    (
        "pixverse-v5.6-i2v",
        {"image_url": IMAGE, "prompt": "x", "duration": "10", "quality": "1080P"},
        "duration (10 seconds are not available at 1080p)",
    ),
    (
        "wan2.7-r2v",
        {"prompt": "x", "reference_image": [IMAGE] * 3, "reference_video": [IMAGE] * 3},
        "reference_image (At most 5 references in total, pictures and videos together)",
    ),
    (
        "MiniMax-H3",
        {"prompt": "x", "last_frame_image": IMAGE, "reference_audios": IMAGE},
        "last_frame_image (Frame images and references cannot be mixed)",
    ),
    ("skyreels-v4-omni", {"prompt": "x"}, "ref_images (At least one of ref_images, ref_videos is required)"),
    ("Veo3", {"prompt": "x", "duration": 7}, "durationSeconds (Must be one of 8, 6, 4, sent as duration)"),
    (
        "wan2.6-i2v",
        {"prompt": 5, "image": ["a", "b"]},
        "img_url (Must be one image as a URL, a data URI or base64, sent as image), prompt (Must be a text)",
    ),
    (
        "sora-2-pro",
        {"prompt": "x", "aspect_ratio": "1:1"},
        "size (Must be one of 1792x1024, 1024x1792, 1280x720, 720x1280, sent as aspect_ratio)",
    ),
]


@pytest.mark.parametrize(("model", "payload", "listed"), REFUSED)
def test_all_faults_are_reported_at_once_in_the_known_form(
    catalog: Catalog, model: str, payload: dict[str, Any], listed: str
) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_payload(catalog.find(model), payload)
    assert str(refused.value) == f"invalid payload parameters: {listed}"


# model, the key and value that were sent, the name and value they turn into.
MAPPED: list[tuple[str, str, Any, str, Any]] = [
    ("Veo3", "duration", 8, "durationSeconds", "8"),
    ("Veo3", "aspect_ratio", "9:16", "aspectRatio", "9:16"),
    ("Veo3", "negative_prompt", "rain", "negativePrompt", "rain"),
    ("wan2.7-i2v", "img_url", IMAGE, "first_frame", IMAGE),
    ("Luma-Ray2", "durationSeconds", 9, "duration", "9s"),
    ("Luma-Ray2", "image", IMAGE, "frame0_image", IMAGE),
    ("sora-2-pro", "duration", "12s", "seconds", "12"),
    ("sora-2-pro", "aspect_ratio", "9:16", "size", "1024x1792"),
    ("wan2.6-t2v", "ratio", "4:3", "size", "1632*1248"),
    ("Veo3", "size", "1080x1920", "aspectRatio", "9:16"),
    ("wan3.0-video", "image", IMAGE, "first_frame", [IMAGE]),
    ("kling-v3-text-to-video", "generate_audio", True, "sound", "on"),
    ("seedance-2-0-260128", "aspect_ratio", "1:1", "ratio", "1:1"),
    ("pixverse-v5.6-i2v", "resolution", "720", "quality", "720p"),
    ("rushes-test", "duration", "2s", "seconds", 2.0),
]


@pytest.mark.parametrize(("model", "key", "sent", "name", "used"), MAPPED)
def test_a_key_of_the_same_meaning_is_used_with_a_warning(
    catalog: Catalog, model: str, key: str, sent: object, name: str, used: object
) -> None:
    card = catalog.find(model)
    required = {p.name: card.example[p.name] for p in card.parameters if p.required and p.name != name}
    checked = check_payload(card, {"prompt": "x", **required, key: sent})
    assert checked.params[name] == used
    assert checked.warnings == (f"{key} is not a parameter of this model and was used as {name}.",)


def test_the_documented_name_beats_an_alias_whatever_the_order(catalog: Catalog) -> None:
    checked = check_payload(catalog.find("Veo3"), {"duration": 4, "durationSeconds": 8, "prompt": "x"})
    assert checked.params["durationSeconds"] == "8"
    assert checked.warnings == ("duration was ignored, because durationSeconds is given and means the same.",)


def test_unknown_keys_stay_out_and_are_named_without_end(catalog: Catalog) -> None:
    strangers = {f"stranger{number}": number for number in range(30)}
    checked = check_payload(catalog.find("Veo3"), {"prompt": "x", "k" * 500: 1, **strangers, "nothing": None})
    assert not set(checked.params) & set(strangers)
    (warning,) = checked.warnings
    assert warning.startswith(f"{'k' * 57}..., stranger0, ")
    assert warning.endswith("stranger18 and 11 more are not parameters of this model and had no effect.")


def test_an_image_for_a_model_without_pictures_is_ignored_with_a_warning(catalog: Catalog) -> None:
    checked = check_payload(catalog.find("Wan-AI_Wan2.1-T2V-14B"), {"prompt": "x", "image": IMAGE})
    assert checked.media == ()
    assert checked.warnings == ("image is not a parameter of this model and had no effect.",)


def test_a_key_that_could_mean_several_parameters_is_not_guessed(catalog: Catalog) -> None:
    checked = check_payload(catalog.find("MiniMax-H3"), {"prompt": "x", "reference_image": IMAGE})
    assert checked.media == ()
    assert checked.warnings == ("reference_image is not a parameter of this model and had no effect.",)


def test_a_required_parameter_with_a_documented_default_may_be_left_out(catalog: Catalog) -> None:
    assert check_payload(catalog.find("Veo3-Fast"), {"prompt": "x"}).params["durationSeconds"] == "8"


def test_as_many_references_as_allowed_pass(catalog: Catalog) -> None:
    payload = {"prompt": "x", "reference_image": [IMAGE] * 3, "reference_video": [IMAGE] * 2, "first_frame": IMAGE}
    assert len(check_payload(catalog.find("wan2.7-r2v"), payload).media) == 6


def test_media_values_carry_role_place_and_kind(catalog: Catalog) -> None:
    payload = {"prompt": "x", "first_frame": "f", "reference_images": ["a", "b"], "reference_audios": "c"}
    checked = check_payload(catalog.find("seedance-2-0-260128"), payload)
    assert checked.media == (
        MediaValue("first_frame", "image", 0, "image", "f"),
        MediaValue("reference_images", "references", 0, "image", "a"),
        MediaValue("reference_images", "references", 1, "image", "b"),
        MediaValue("reference_audios", "references", 0, "audio", "c"),
    )


def test_a_long_prompt_is_measured_in_tokens_and_the_rule_is_told(catalog: Catalog) -> None:
    card = catalog.find("skyreels-v4-image-to-video")
    check_payload(card, {"prompt": "word " * 1280, "first_frame_image": IMAGE})
    with pytest.raises(InvalidPayload, match=r"Must be at most 1280 tokens, counted as one per started four letters"):
        check_payload(card, {"prompt": "word " * 1281, "first_frame_image": IMAGE})


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"last_frame": IMAGE}, "last_frame without first_frame"),
        ({"first_clip": IMAGE, "driving_audio": IMAGE}, "driving_audio is only the sound track"),
    ],
)
def test_odd_combinations_are_allowed_with_a_warning(catalog: Catalog, given: dict[str, Any], warning: str) -> None:
    checked = check_payload(catalog.find("wan2.7-i2v"), given)
    assert len(checked.warnings) == 1
    assert warning in checked.warnings[0]


def test_a_fault_keeps_only_the_start_of_what_was_given(catalog: Catalog) -> None:
    payload = {"prompt": "p" * 5000, "resolution": [1, 2], "duration": 10**70, "watermark": {"a": 1}, "seed": 1.5}
    with pytest.raises(InvalidPayload) as refused:
        check_payload(catalog.find("wan2.7-i2v"), payload)
    assert [fault.given for fault in refused.value.faults] == [
        "p" * 57 + "...",
        "a list of 2",
        "a huge number",
        "an object",
        "1.5",
    ]


def test_a_faulty_value_counts_as_given_so_one_mistake_is_reported_once(catalog: Catalog) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_payload(catalog.find("wan2.7-i2v"), {"first_frame": 5})
    assert [fault.param for fault in refused.value.faults] == ["first_frame"]


def test_a_seed_of_minus_one_leaves_the_documented_default(catalog: Catalog) -> None:
    assert "seed" not in check_payload(catalog.find("Veo3"), {"prompt": "x", "seed": -1}).params
    early = check_payload(catalog.find("Wan2_1"), {"prompt": "x", "seed_value": "-1"})
    assert early.params["seed_value"] == "90347039510843"
