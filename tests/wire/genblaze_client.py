"""Run inside the environment of genblaze-gmicloud: what that package does against one server, told as JSON."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from genblaze_core import Modality, Pipeline
from genblaze_core.exceptions import ProviderError
from genblaze_gmicloud import GMICloudVideoProvider


def made(model: str, prompt: str, **parameters: object) -> dict[str, object]:
    provider = GMICloudVideoProvider(poll_interval=0.2)
    pipeline = Pipeline("wire").step(
        provider, model=model, prompt=prompt, modality=Modality.VIDEO, duration=5, aspect_ratio="16:9", **parameters
    )
    step = pipeline.run(timeout=150).run.steps[0]
    return {
        "status": str(step.status),
        "error": step.error,
        "urls": [asset.url for asset in step.assets],
        "request": (step.provider_payload or {}).get("gmicloud"),
    }


def key_check(key: str) -> str:
    try:
        GMICloudVideoProvider(api_key=key).preflight_auth()
    except ProviderError as error:
        return error.error_code.value
    return "good"


def probed(model: str) -> str:
    return GMICloudVideoProvider().validate_model(model, refresh=True).outcome.value


# At once, because this client waits 24 seconds before it asks for the first time.
with ThreadPoolExecutor() as pool:
    video = pool.submit(made, "Kling-Text2Video-V2.1-Master", "A drone shot over a misty valley at sunrise")
    failure = pool.submit(made, "wan2.6-t2v", "A calm sea", rushes_fault={"fail": "unsupported"})
    refusal = pool.submit(made, "Kling-Text2Video-V2.1-Master", "x" * 5000)
print(
    json.dumps(
        {
            "made": video.result(),
            "failed": failure.result(),
            "refused": refusal.result(),
            "keys": [key_check(sys.argv[1]), key_check("gmi_of_somebody_else")],
            "probes": {name: probed(name) for name in ("veo3", "Kling-Text2Video-V2.1-Master", "sora-9-imaginary")},
        }
    )
)
