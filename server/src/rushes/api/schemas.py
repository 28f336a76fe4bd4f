"""The JSON bodies of the API as JSON Schema, by name. Every key of a `thing` is always there; `maybe` may be null."""

from typing import Any

from rushes.domain.errors import FAILURES, HTTP_ERRORS
from rushes.domain.request import Status

Schema = dict[str, Any]


def maybe(schema: Schema) -> Schema:
    """The value or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(**fields: Schema) -> Schema:
    """An object that has all of these keys; more may come with later versions."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def perhaps(schema: Schema, **fields: Schema) -> Schema:
    """The object, with keys that are there only when asked for."""
    return {**schema, "properties": {**schema["properties"], **fields}}


def sent(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object that a client sends."""
    shape: Schema = {"type": "object", "properties": fields}
    return {**shape, "required": list(required)} if required else shape


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}
ID: Schema = {"type": "string", "format": "uuid"}
URL: Schema = {"type": "string"}
MOMENT: Schema = {"type": "integer", "description": "Unix seconds."}
MICRO: Schema = {"type": "integer", "description": "Micro-dollars: 152000 is $0.152."}
STATUS: Schema = {"type": "string", "enum": [status.value for status in Status]}
STAGE: Schema = {"type": ["string", "null"], "description": "loading, generating, encoding or uploading."}

_BEGINNING: dict[str, Schema] = {
    "request_id": ID,
    "model": TEXT,
    "status": STATUS,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "queued_at": MOMENT,
    "warnings": many(TEXT),
    "quote_micro_usd": MICRO,
    "queue_position": _said(maybe(WHOLE), "Requests ahead in claim order; null unless queued."),
    "eta_seconds": _said(maybe(WHOLE), "Seconds until final, from the history of the model."),
}
_FORECAST: dict[str, Schema] = {"queue_position": maybe(WHOLE), "eta_seconds": maybe(WHOLE)}
_TOKENS: dict[str, Schema] = {"accessToken": TEXT, "refreshToken": TEXT}

SCHEMAS: dict[str, Schema] = {
    "Error": thing(
        error=_said(TEXT, "What is wrong and what would be right."),
        message=_said(TEXT, "The same text."),
        code={"type": "string", "enum": list(HTTP_ERRORS)},
        retryable=YES_NO,
        param=_said(maybe(TEXT), "The first field at fault."),
        detail=_said(maybe(OBJECT), "For a payload: `errors`, one for each parameter at fault."),
    ),
    "Submit": sent(
        ("model", "payload"),
        model=_said(TEXT, "A model id, in any spelling of its letters."),
        payload=_said(OBJECT, "The model's parameters; GET models/{model_id} describes them."),
        webhook_url=_said(maybe(URL), "Where to POST events."),
        webhook_events=_said(maybe(many(TEXT)), "Beside the three final ones: request.queued, dispatched, processing."),
        metadata=_said(maybe(OBJECT), "Echoed; at most 4 kB."),
        priority=_said(maybe(WHOLE), "-100 to 100; higher goes first within what the organisation may."),
        expires_after=_said(maybe(WHOLE), "Seconds that the artifact stays readable, at least 60."),
    ),
    "Submitted": thing(**_BEGINNING),
    "Retried": thing(**_BEGINNING, retry_of=ID),
    "Request": perhaps(
        thing(
            **_BEGINNING,
            org_id=ID,
            user_id=TEXT,
            is_public=YES_NO,
            payload=_said(OBJECT, "As sent; data URIs and base64 are replaced by the stored file's URL."),
            outcome=_said(maybe(ref("Outcome")), "Null until the status is final."),
            qworker_id=TEXT,
            error=maybe(TEXT),
            error_code=_said(maybe(TEXT), f"One of {', '.join(FAILURES)}, cancelled."),
            retryable=maybe(YES_NO),
            attempt=WHOLE,
            engine=_said(TEXT, "What renders it, in truth."),
            seed=maybe(WHOLE),
            progress={"type": "integer", "minimum": 0, "maximum": 100},
            stage=STAGE,
            charge_micro_usd=maybe(MICRO),
            cost=maybe(MICRO),
            started_at=maybe(MOMENT),
            finished_at=maybe(MOMENT),
            expires_at=maybe(MOMENT),
            metadata=maybe(OBJECT),
        ),
        attempts=_said(many(ref("Attempt")), "With ?attempts."),
    ),
    "Attempt": thing(
        attempt=WHOLE,
        qworker_id=TEXT,
        claimed_at=MOMENT,
        finished_at=maybe(MOMENT),
        stages=many(thing(stage=TEXT, at=NUMBER)),
        result=_said(maybe(TEXT), "success, failed, cancelled, rescued, handed_back or retried."),
        error=maybe(TEXT),
    ),
    "Outcome": {"anyOf": [ref("Video"), ref("Failure")]},
    "Video": thing(
        video_url=_said(URL, "Signed, needs no credential, expires; each GET signs anew."),
        thumbnail_image_url=URL,
        media_urls=many(ref("Media")),
        seed=maybe(WHOLE),
    ),
    "Failure": thing(error=TEXT, code=maybe(TEXT), retryable=maybe(YES_NO)),
    "Media": thing(
        id=TEXT,
        url=URL,
        content_type=TEXT,
        width=WHOLE,
        height=WHOLE,
        fps=NUMBER,
        duration_seconds=NUMBER,
        size_bytes=WHOLE,
        sha256=TEXT,
    ),
    "DryRun": thing(
        valid=YES_NO,
        model=TEXT,
        payload=_said(OBJECT, "Cleaned, with defaults."),
        warnings=many(TEXT),
        quote_micro_usd=MICRO,
        engine=TEXT,
        plan=OBJECT,
        **_FORECAST,
    ),
    "RequestList": thing(requests=many(ref("Request")), total=WHOLE, has_more=YES_NO, next_cursor=maybe(TEXT)),
    "Bulk": sent(
        ("action",),
        action={"type": "string", "enum": ["cancel", "retry", "purge"]},
        ids=_said(many(TEXT), "Up to 1,000 request ids; or `filter` and `expect`."),
        filter=sent(
            model_id=TEXT,
            status={"anyOf": [STATUS, many(STATUS)]},
            since={"type": ["integer", "string"]},
            until={"type": ["integer", "string"]},
            id=TEXT,
            q=TEXT,
        ),
        expect=_said(WHOLE, "How many requests the filter matches; any other number changes nothing."),
    ),
    "BulkDone": thing(
        matched=WHOLE,
        done=WHOLE,
        skipped=many(thing(request_id=TEXT, code=TEXT, error=TEXT)),
        retried=_said({"type": "object", "additionalProperties": ID}, "For retry: old id to new id."),
    ),
    "Event": thing(
        event_id=maybe(TEXT),
        type=_said(TEXT, "request. and a status, or request.progress."),
        request_id=ID,
        status=STATUS,
        attempt=WHOLE,
        progress=maybe(WHOLE),
        stage=STAGE,
        at=MOMENT,
        **_FORECAST,
    ),
    "EventList": thing(events=many(ref("Event"))),
    "Delivery": thing(
        event_id=_said(TEXT, "Also the webhook-id."),
        type=TEXT,
        url=URL,
        state={"type": "string", "enum": ["waiting", "delivered", "given_up"]},
        tries=WHOLE,
        next_try_at=maybe(MOMENT),
        delivered_at=maybe(MOMENT),
        last_try_at=maybe(MOMENT),
        last_status=maybe(WHOLE),
        last_answer=_said(maybe(TEXT), "The first 1,024 bytes of the answer, or why there was none."),
        created_at=MOMENT,
    ),
    "DeliveryList": thing(deliveries=many(ref("Delivery"))),
    "ModelIds": thing(model_ids=many(TEXT)),
    "ModelList": thing(models=many(ref("Model"))),
    "Model": thing(
        model=TEXT,
        org_id=TEXT,
        display_name=TEXT,
        brief_description=TEXT,
        detailed_description=TEXT,
        model_type=TEXT,
        status=TEXT,
        tags=many(TEXT),
        modalities=OBJECT,
        parameters=many(ref("Parameter")),
        price_info=thing(price=MICRO, pricing_type=TEXT, unit=TEXT),
        pricing_details=TEXT,
        host_type=TEXT,
        qworkers=WHOLE,
        created_at=MOMENT,
        updated_at=MOMENT,
        engine=TEXT,
        available=_said(YES_NO, "Some qworker can run it now."),
        accessible=YES_NO,
        aliases=many(TEXT),
        task=TEXT,
    ),
    "Parameter": thing(
        name=TEXT,
        key=_said(TEXT, "The name again."),
        display_name=TEXT,
        description=TEXT,
        type=TEXT,
        required=YES_NO,
        default_value=ANYTHING,
        options=many(ANYTHING),
        min_value=maybe(NUMBER),
        max_value=maybe(NUMBER),
    ),
    "UploadPlan": sent(("file_type",), file_type=_said(TEXT, "Such as png, jpg, mp4 or wav."), type=ANYTHING),
    "UploadPlace": thing(upload_url=_said(URL, "PUT the bytes here."), public_url=URL, expires_at=MOMENT),
    "File": thing(
        file_id=ID,
        public_url=URL,
        content_type=TEXT,
        size_bytes=maybe(WHOLE),
        sha256=maybe(TEXT),
        width=maybe(WHOLE),
        height=maybe(WHOLE),
        seconds=maybe(NUMBER),
        created_at=MOMENT,
        expires_at=maybe(MOMENT),
    ),
    "FileList": thing(files=many(ref("File")), total=WHOLE, has_more=YES_NO),
    "FileDeleted": thing(file_id=ID, deleted=YES_NO),
    "Usage": thing(
        by=many(TEXT),
        since=MOMENT,
        until=MOMENT,
        rows=many(ref("UsageSums")),
        total=ref("UsageSums"),
        balance_micro_usd=_said(maybe(MICRO), "Null: unlimited."),
        held_micro_usd=_said(MICRO, "The quotes of unfinished requests."),
    ),
    "UsageSums": thing(requests=WHOLE, seconds=NUMBER, run_seconds=NUMBER, charge_micro_usd=MICRO),
    "Login": sent(("email", "password"), email=TEXT, password=TEXT),
    "LoginToken": thing(authToken=TEXT, is2FARequired=YES_NO),
    "CodeWanted": sent(("authToken",), authToken=TEXT),
    "SessionWanted": sent(("authToken",), type={"const": "native"}, authToken=TEXT, otpCode=maybe(TEXT)),
    "Refresh": sent(("refreshToken",), refreshToken=TEXT),
    "Tokens": thing(**_TOKENS),
    "Nothing": OBJECT,
    "Profile": thing(
        user=ref("Person"),
        organization=thing(id=TEXT, role=TEXT, name=TEXT),
        organizations=many(thing(id=TEXT, role=TEXT, name=TEXT)),
    ),
    "Person": thing(id=ID, email=TEXT, firstName=TEXT, lastName=TEXT),
    "KeyWanted": sent(
        ("name",),
        name=TEXT,
        type=ANYTHING,
        scope=maybe(TEXT),
        expiresAt=_said(maybe(WHOLE), "Unix seconds; 0 for never."),
        spendLimitMicroUsd=maybe(WHOLE),
    ),
    "NewKey": thing(key=_said(TEXT, "Shown this once."), id=TEXT, partialKey=TEXT),
    "Key": thing(
        id=TEXT,
        name=TEXT,
        type=TEXT,
        scope=TEXT,
        partialKey=TEXT,
        expiresAt=WHOLE,
        createdAt=WHOLE,
        lastUsedAt=WHOLE,
        spendLimitMicroUsd=maybe(WHOLE),
        spentMicroUsd=WHOLE,
        owner=maybe(ref("Person")),
    ),
    "KeyList": thing(keys=many(ref("Key"))),
    "NewSecret": thing(id=ID, createdAt=WHOLE, secret=_said(TEXT, "Shown this once.")),
    "SecretList": thing(secrets=many(thing(id=ID, createdAt=WHOLE))),
    "EarlyModels": thing(
        object={"const": "list"}, data=many(thing(id=TEXT, object=TEXT, created=MOMENT, owned_by=TEXT))
    ),
    "EarlySubmitted": thing(request_id=ID, status=STATUS, status_url=URL, response_url=URL, cancel_url=URL),
    "EarlyStatus": thing(request_id=ID, status=STATUS, queue_position=maybe(WHOLE), progress=WHOLE, error=maybe(TEXT)),
    "EarlyResult": {
        "anyOf": [
            thing(
                video=thing(url=URL, content_type=TEXT, file_name=TEXT, file_size=WHOLE),
                thumbnail_image_url=URL,
            ),
            thing(request_id=ID, status=STATUS, error=maybe(TEXT)),
        ]
    },
    "EarlyWaiting": thing(request_id=ID, status=STATUS),
    "Payload": _said(OBJECT, "The model's parameters, without an envelope."),
    "Health": thing(status=TEXT),
}
