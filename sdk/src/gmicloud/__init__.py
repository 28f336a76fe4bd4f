"""The Python SDK of the video request-queue API.

    from gmicloud import Client

    client = Client()
    record = client.generate("Wan-AI_Wan2.1-T2V-14B", prompt="A dog reading a book in a cozy library")
    client.download(record, "dog.mp4")

Names are loaded when first used, so importing the package costs next to nothing (its pytest plugin is imported by
every test run of the environment).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gmicloud._internal._version import VERSION as __version__

if TYPE_CHECKING:
    from gmicloud._internal._enums import RequestStatus
    from gmicloud._internal._models import (
        Estimate,
        GetModelResponse,
        GetRequestResponse,
        Group,
        ModelParameter,
        PriceInfo,
        RequestEvent,
        SubmitRequestRequest,
        SubmitRequestResponse,
        UploadedFile,
    )
    from gmicloud._internal._requests import SubmitOptions
    from gmicloud.client import AsyncClient, Client
    from gmicloud.errors import GmiError, WaitTimeout

__all__ = [
    "AsyncClient",
    "Client",
    "Estimate",
    "GetModelResponse",
    "GetRequestResponse",
    "GmiError",
    "Group",
    "ModelParameter",
    "PriceInfo",
    "RequestEvent",
    "RequestStatus",
    "SubmitOptions",
    "SubmitRequestRequest",
    "SubmitRequestResponse",
    "UploadedFile",
    "WaitTimeout",
    "__version__",
]

_HOMES = {
    "AsyncClient": "client",
    "Client": "client",
    "GmiError": "errors",
    "WaitTimeout": "errors",
    "RequestStatus": "_internal._enums",
    "SubmitOptions": "_internal._requests",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gmicloud' has no attribute {name!r}")
    return getattr(import_module(f"gmicloud.{_HOMES.get(name, '_internal._models')}"), name)
