"""What decides the bytes of a frame besides its plan."""

import platform
from functools import cache
from hashlib import sha256

import cv2
import numpy as np
import PIL

ENGINE_VERSION = "3"
"""Raised with every change that draws a frame differently."""


def parts() -> dict[str, str]:
    """The versions and the processor that the frames depend on."""
    return {
        "animatic": ENGINE_VERSION,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "machine": platform.machine(),
        "features": cv2.getCPUFeaturesLine(),
    }


@cache
def fingerprint() -> str:
    """One hash of all parts: with the same plan and seed, the same fingerprint gives the same frames."""
    text = "\n".join(f"{name}={value}" for name, value in sorted(parts().items()))
    return f"animatic-{sha256(text.encode()).hexdigest()[:16]}"
