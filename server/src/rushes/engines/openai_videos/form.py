"""A plan as the form that both dialects take; the picture is a part of it, so the server never needs our storage."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rushes.engines.engine import Plan
from rushes.engines.openai_videos.options import Dialect


def fields_of(plan: Plan, dialect: Dialect) -> dict[str, str]:
    """The text parts, by name."""
    fields: dict[str, Any] = {
        **plan.extra["fields"],
        "prompt": plan.prompt,
        "width": plan.width,
        "height": plan.height,
        "num_frames": plan.num_frames,
        "fps": plan.fps,
        "seed": plan.seed,
    }
    if plan.negative_prompt:
        fields["negative_prompt"] = plan.negative_prompt
    if plan.sound and dialect == "vllm_omni":
        fields["generate_sound"] = True
    if plan.extra["extra_params"]:
        fields["extra_params"] = plan.extra["extra_params"]
    return {name: _text(value) for name, value in fields.items() if value is not None}


def encoded(fields: Mapping[str, str], picture: Path | None) -> tuple[bytes, str]:
    """The body and its content type. Raises OSError when the picture cannot be read."""
    boundary = f"rushes-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if picture is not None:
        head = 'Content-Disposition: form-data; name="input_reference"; filename="first.png"'
        parts.append(f"--{boundary}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode())
        parts += [picture.read_bytes(), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
