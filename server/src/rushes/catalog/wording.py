"""The words a parameter is shown with when its card gives none."""

import re
from typing import Final

from rushes.domain.model_card import Parameter, Role

_BY_ROLE: Final[dict[Role, str]] = {
    "prompt": "What the video should show, and how subject and camera move.",
    "negative": "What to keep out of the video.",
    "image": "The picture the video starts from.",
    "last_image": "The picture the video ends on.",
    "references": "Material that shows how people, things or the style should look, sound or move.",
    "clip": "The video that is continued or changed.",
    "audio": "Sound that drives the video.",
    "duration": "Length of the video in seconds.",
    "resolution": "Output resolution tier.",
    "ratio": "Width to height of the video.",
    "size": "Width and height of the video in pixels.",
    "fps": "Frames per second.",
    "seed": "Start of the random numbers; the same seed repeats a result, no seed or -1 draws one.",
    "sound": "Whether the video has a sound track.",
    "watermark": "Whether a watermark is drawn into the video.",
    "mode": "Quality or speed tier.",
    "guidance": "How closely the video follows the prompt; higher is closer and less free.",
    "steps": "Denoising steps; more is slower and finer.",
    "loop": "Whether the end runs smoothly into the start.",
}

_BY_NAME: Final[dict[str, str]] = {
    "prompt_extend": "Lets a language model add detail to a short prompt before rendering.",
    "prompt_optimizer": "Lets a language model rewrite the prompt before rendering.",
    "personGeneration": "Which people may appear.",
    "shot_type": "Whether the video is one shot or several.",
    "multi_shot": "Whether the video is cut into several shots.",
    "web_search": "Lets the model look things up before rendering.",
    "reference_asset_ids": "Ids of reference files kept by the upstream account.",
    "reference_image": "Picture that shows how people, things or the style should look.",
    "reference_images": "Pictures that show how people, things or the style should look.",
    "reference_video": "Videos to take movement or style from.",
    "reference_videos": "Videos to take movement or style from.",
    "reference_video_urls": "Videos to take people, movement or style from.",
    "reference_audios": "Sounds to take voices or music from.",
}


def display_name(name: str) -> str:
    """A parameter's name in words: durationSeconds is "Duration seconds"."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).replace("_", " ").strip().lower()
    return words[:1].upper() + words[1:]


def description(parameter: Parameter) -> str:
    """One sentence on what the parameter does, "" where nothing general can be said."""
    return _BY_NAME.get(parameter.name) or (_BY_ROLE[parameter.role] if parameter.role else "")
