"""What the API takes and gives, as objects.

Reading is lenient: unknown fields are kept, a null where a value belongs becomes the default, and a value of an
unexpected kind is kept as it came, because one odd field must not cost a whole answer.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from gmicloud._internal._enums import FINAL, RequestStatus
from gmicloud._internal._json import as_list, as_object


def _status(value: Any) -> Any:
    return RequestStatus(value) if isinstance(value, str) and value in set(RequestStatus) else value


# A word that is not known is kept as a plain string and counts as not final.
Status = Annotated[RequestStatus | str, BeforeValidator(_status)]


class Record(BaseModel):
    """Anything read from the wire."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_what_came(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if value is None and not field.is_required():
            return field.get_default(call_default_factory=True)
        try:
            return handler(value)
        except ValidationError:
            return value


class SubmitRequestRequest(BaseModel):
    """What to make: a model id and its parameters. Media parameters also take paths, bytes and open files."""

    model_config = ConfigDict(protected_namespaces=(), arbitrary_types_allowed=True)

    model: str
    payload: dict[str, Any]


class PriceInfo(Record):
    """What a model costs: micro-dollars (152000 is $0.152) per second, request or image."""

    price: int | float = 0
    pricing_type: str = ""
    unit: str = ""

    @property
    def usd(self) -> float:
        """The price in dollars per unit."""
        return self.price / 1_000_000


class ModelParameter(Record):
    """One parameter of a model. `key` and `name`, `min` and `min_value`, `max` and `max_value` are the same thing."""

    key: str = ""
    name: str = ""
    display_name: str = ""
    description: str = ""
    type: str = ""
    required: bool = False
    default_value: Any = None
    options: list[Any] | None = None
    min: int | float | None = None
    max: int | float | None = None
    min_value: int | float | None = None
    max_value: int | float | None = None
    step: int | float | None = None

    @model_validator(mode="after")
    def _fill_both_names(self) -> Self:
        for one, other in (("key", "name"), ("min", "min_value"), ("max", "max_value")):
            if getattr(self, one) in ("", None):
                setattr(self, one, getattr(self, other))
            elif getattr(self, other) in ("", None):
                setattr(self, other, getattr(self, one))
        return self


class GetModelResponse(Record):
    """A model card: what a model takes, costs and makes. `engine` is what really renders it."""

    model: str = ""
    org_id: str = ""
    display_name: str = ""
    brief_description: str = ""
    detailed_description: str = ""
    model_type: str = ""
    status: str = ""
    tags: list[str] = Field(default_factory=list)
    modalities: dict[str, Any] = Field(default_factory=dict)
    parameters: list[ModelParameter] = Field(default_factory=list[ModelParameter])
    price_info: PriceInfo = Field(default_factory=PriceInfo)
    pricing_details: str = ""
    host_type: str = ""
    icon_link: str = ""
    background_image_url: str = ""
    external_api_endpoint: str = ""
    external_api_url: str = ""
    external_provider: str = ""
    internal_parameters: dict[str, Any] = Field(default_factory=dict)
    qworkers: int = 0
    created_at: int | float = 0
    updated_at: int | float = 0
    engine: str = ""
    available: bool | None = None
    accessible: bool | None = None
    aliases: list[str] = Field(default_factory=list)
    task: str = ""


class SubmitRequestResponse(Record):
    """An accepted request. The last five fields are None against servers that do not send them."""

    request_id: str
    model: str = ""
    status: Status = RequestStatus.CREATED
    created_at: int | float = 0
    updated_at: int | float = 0
    queued_at: int | float = 0
    warnings: list[Any] = Field(default_factory=list)
    quote_micro_usd: int | None = None
    queue_position: int | None = None
    eta_seconds: float | None = None


class GetRequestResponse(SubmitRequestResponse):
    """The full record of a request. `outcome` is None until the status is final; times are unix seconds."""

    org_id: str = ""
    user_id: str = ""
    qworker_id: str = ""
    is_public: bool = False
    payload: dict[str, Any] = Field(default_factory=dict)
    outcome: dict[str, Any] | None = None
    error: str | None = None
    error_code: str | None = None
    retryable: bool = False
    attempt: int = 0
    engine: str = ""
    progress: int | float | None = None
    stage: str | None = None
    charge_micro_usd: int | None = None
    started_at: int | float | None = None
    finished_at: int | float | None = None
    expires_at: int | float | None = None
    metadata: dict[str, Any] | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status can no longer change."""
        return self.status in FINAL

    @property
    def video_url(self) -> str | None:
        """Where the video is, in any of the shapes servers use; None before success."""
        return self._link("video_url")

    @property
    def thumbnail_url(self) -> str | None:
        """Where the thumbnail is; None before success or when the server made none."""
        return self._link("thumbnail_image_url")

    @property
    def first_frame_url(self) -> str | None:
        """Where the first frame is, a JPEG of full size; None before success or when the server made none."""
        return self._link("first_frame_url")

    @property
    def last_frame_url(self) -> str | None:
        """Where the last frame is, to continue the clip with: give it as `first_frame` of the next request."""
        return self._link("last_frame_url")

    @property
    def preview_url(self) -> str | None:
        """Where a small animated WebP of at most three seconds is; None when the server made none."""
        return self._link("preview_url")

    @property
    def manifest_url(self) -> str | None:
        """Where it says, as JSON, how the video was made: prompt, seed, engine, timings, SHA-256 of every file."""
        return self._link("manifest_url")

    @property
    def media(self) -> list[dict[str, Any]]:
        """Every artifact of the outcome as an object with at least `url`; empty before success."""
        outcome = as_object(self.outcome) or {}
        entries = as_list(outcome.get("media_urls") or outcome.get("medias"))  # codespell:ignore medias
        found = [as_object(one) or {"url": one} for one in entries]
        return [one for one in found if isinstance(one.get("url"), str)]

    @property
    def error_text(self) -> str | None:
        """Why it failed, in any of the shapes servers use; None when it did not."""
        if self.status not in (RequestStatus.FAILED, RequestStatus.CANCELLED):
            return None
        outcome = as_object(self.outcome) or {}
        for text in (self.error, outcome.get("error"), outcome.get("message"), outcome.get("fail_reason")):
            text = (as_object(text) or {"message": text}).get("message")
            if isinstance(text, str) and text:
                return text
        return None

    def _link(self, key: str) -> str | None:
        outcome = as_object(self.outcome) or {}
        if isinstance(outcome.get(key), str) and outcome[key]:
            return outcome[key]
        return self.media[0]["url"] if key == "video_url" and self.media else None


class Group(Record):
    """Requests that were submitted together. `counts` has how many have each status; after submit_many it is empty and
    `requests` has what each submit was answered, in order."""

    group_id: str
    total: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    final: bool = False
    quote_micro_usd: int | None = None
    charge_micro_usd: int | None = None
    created_at: int | float = 0
    requests: list[SubmitRequestResponse] = Field(default_factory=list)


class RequestEvent(Record):
    """One thing that happened to a request: `request.` + status, or `request.progress`."""

    event_id: str | None = None
    type: str = ""
    request_id: str = ""
    status: Status = RequestStatus.CREATED
    attempt: int = 0
    progress: int | float | None = None
    stage: str | None = None
    queue_position: int | None = None
    eta_seconds: float | None = None
    at: Any = None
    outcome: dict[str, Any] | None = None
    error: str | None = None
    error_code: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether this is the last event of its request."""
        return self.status in FINAL and self.type != "request.progress"


class UploadedFile(Record):
    """A file the server keeps. `public_url` can be used in payloads of the same organisation."""

    public_url: str
    file_id: str | None = None
    content_type: str = ""
    size_bytes: int | None = None
    sha256: str | None = None
    expires_at: int | float | None = None


class Estimate(Record):
    """What a submit would do, without doing it: cleaned payload, warnings, price, place in the queue."""

    valid: bool = True
    model: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)
    warnings: list[Any] = Field(default_factory=list)
    quote_micro_usd: int | None = None
    engine: str = ""
    queue_position: int | None = None
    eta_seconds: float | None = None

    @property
    def usd(self) -> float | None:
        """The quote in dollars."""
        return None if self.quote_micro_usd is None else self.quote_micro_usd / 1_000_000
