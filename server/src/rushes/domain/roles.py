"""Which parameter names mean the same thing in different families of models."""

from typing import Final

from rushes.domain.model_card import Role

# WIRE.md section 2.5. A name may be given another role by the card that uses it.
NAMES: Final[dict[Role, tuple[str, ...]]] = {
    "prompt": ("prompt",),
    "negative": ("negative_prompt", "negativePrompt"),
    "image": (
        "image",
        "img_url",
        "image_url",
        "image_uri",
        "images",
        "first_frame",
        "first_frame_image",
        "path_to_image",
        "frame0_image",
        "input_reference",
    ),
    "last_image": (
        "last_frame",
        "last_frame_image",
        "image_tail",
        "lastFrame",
        "last_image",
        "frame1_image",
        "tail_image_url",
    ),
    "references": (
        "reference_image",
        "reference_images",
        "reference_video",
        "reference_videos",
        "reference_video_urls",
        "reference_audios",
    ),
    "clip": ("first_clip", "video", "video_url", "video_uri"),
    "audio": ("driving_audio", "audio_url", "audio_uri"),
    "duration": ("duration", "durationSeconds", "seconds", "video_length"),
    "resolution": ("resolution", "quality"),
    "ratio": ("aspect_ratio", "aspectRatio", "ratio"),
    "size": ("size", "video_resolution"),
    "fps": ("fps", "frame_rate"),
    "seed": ("seed", "seed_value"),
    "sound": ("sound", "audio", "generate_audio", "generateAudio", "generate_audio_switch"),
    "watermark": ("watermark",),
    "mode": ("mode",),
    "guidance": ("cfg_scale", "guidance_scale"),
    "steps": ("steps", "num_inference_steps"),
    "loop": ("loop",),
}

_ROLES: Final[dict[str, Role]] = {name: role for role, names in NAMES.items() for name in names}


def role_of(name: str) -> Role | None:
    """The role a parameter of this name has unless its card says otherwise."""
    return _ROLES.get(name)
