"""Run by test_published_gmicloud.py inside an environment that has gmicloud 0.1.10: what its users do, told as JSON."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from gmicloud import Client
from gmicloud._internal._client import _iam_client, _video_client
from gmicloud._internal._models import SubmitRequestRequest

FINAL = ("success", "failed", "cancelled")
CACHE = Path.home() / ".gmicloud.config.json"

base, email, password = sys.argv[1:4]
_iam_client.IAM_SERVICE_BASE_URL = _video_client.IAM_SERVICE_BASE_URL = f"{base}/api/v1"
logging.disable()


def plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def refusal(call: Any) -> str:
    try:
        call()
    except Exception as error:
        return str(error)
    return "nothing was raised"


def run() -> dict[str, Any]:
    told: dict[str, Any] = {}
    told["wrong_password"] = refusal(lambda: Client(email, "not the password"))
    client = Client(email, password)
    iam, video = client.iam_client, client.video_manager
    told["login"] = {"user": iam.get_user_id(), "organisation": iam.get_organization_id()}
    told["access"] = iam.parse_token()

    # A second start reads the cached refresh token, not the password; a third shares the file and the moment with it.
    cached = CACHE.read_text()
    again = Client(email, "no password needed now")
    CACHE.write_text(cached)
    beside = Client(email, "no password needed now")
    told["restarts"] = [each.iam_client.get_user_id() for each in (again, beside)]

    models = video.get_models()
    told["models"] = len(models)
    told["first_model"] = plain(models[0])
    told["detail"] = plain(video.get_model_detail("wan2.7-i2v"))

    made = video.create_request(SubmitRequestRequest(model="rushes-test", payload={"prompt": "x"}))
    told["made"] = plain(made)
    deadline = time.monotonic() + 60
    seen = []
    while not seen or (seen[-1] not in FINAL and time.monotonic() < deadline):
        record = video.get_request_detail(made.request_id)
        seen.append(record.status.value)
    told["statuses"] = list(dict.fromkeys(seen))
    told["record"] = plain(record)
    told["listed"] = [each.request_id for each in video.get_requests("rushes-test")]

    told["unknown_request"] = video.get_request_detail("00000000-0000-4000-8000-000000000000")
    told["unknown_model"] = video.get_model_detail("sora-9-imaginary")
    told["bad_payload"] = video.create_request(SubmitRequestRequest(model="wan2.7-i2v", payload={"duration": 99}))

    told["key"] = client.iam_manager.create_org_api_key("made by the published SDK")
    told["keys"] = [plain(key) for key in client.iam_manager.get_org_api_keys()]
    return told


print(json.dumps(run()))
