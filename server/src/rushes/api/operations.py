"""What the OpenAPI document says of each operation: what goes in, what comes out, which errors."""

from rushes.api.operate_operations import OPERATE_OPERATIONS, OPERATE_QUERY
from rushes.api.operation import BODY, LIMIT, Operation
from rushes.api.organisation_operations import ORGANISATION_OPERATIONS, ORGANISATION_QUERY
from rushes.api.schema import ANYTHING, ID, STATUS, TEXT, WHOLE, YES_NO, Schema, many, ref

_NUMBER_OR_TIME: Schema = {"type": "string", "description": "Unix seconds or an ISO 8601 time."}

QUERY: dict[str, Schema] = {
    "attempts": {**YES_NO, "description": "With the attempts and when each of their stages began."},
    "cleaned": {**YES_NO, "description": "With the payload as it was understood: checked, defaults filled in."},
    "dry_run": {**YES_NO, "description": "Every check, and the price; nothing is stored or charged."},
    "purge": {**YES_NO, "description": "Forget artifacts, inputs, payload and outcome now."},
    "wait": {"type": "integer", "minimum": 0, "maximum": 60, "description": "Answer when final, or after so long."},
    "model_id": TEXT,
    "limit": {"type": "integer", "minimum": 1, "default": 100, "description": "At most 1,000; more counts as that."},
    "offset": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000},
    "cursor": {**TEXT, "description": "next_cursor of the page before; not together with offset."},
    "status": many(STATUS),
    "since": _NUMBER_OR_TIME,
    "until": _NUMBER_OR_TIME,
    "created_after": _NUMBER_OR_TIME,
    "created_before": _NUMBER_OR_TIME,
    "id": {**TEXT, "description": "The beginning of a request id."},
    "q": {
        **TEXT,
        "description": "Words of the prompt (or their beginnings), the beginning of an id; or a model's texts.",
    },
    "sha256": {**TEXT, "description": "Of an artifact, in hexadecimal."},
    "seed": {**WHOLE, "description": "What a request was made with, given or drawn; the newest 1,000."},
    "group_id": {**TEXT, "description": "The requests of one group."},
    "metadata.KEY": {**TEXT, "description": "What this key of the metadata is, as text."},
    "after": {**TEXT, "description": "Resume after this event_id, or at this next_after."},
    "expand": {**YES_NO, "description": "model_ids and models together."},
    "task": TEXT,
    "family": TEXT,
    "live": {**YES_NO, "description": "With queue lengths and medians."},
    "by": many({"type": "string", "enum": ["day", "model", "key"]}),
    "expires": WHOLE,
    "kid": TEXT,
    "signature": TEXT,
    **ORGANISATION_QUERY,
    **OPERATE_QUERY,
}
HEADERS: dict[str, Schema] = {
    "Idempotency-Key": {**TEXT, "description": "Same key and body: the first answer again, for 24 hours at least."},
    "X-Organization-ID": {**TEXT, "description": "Under a session: which of the caller's organisations."},
    "Last-Event-ID": {**TEXT, "description": "Resume after this event."},
    "Range": TEXT,
}
PATH: dict[str, Schema] = {
    "request_id": ID,
    "group_id": ID,
    "file_id": ID,
    "artifact_id": ID,
    "org_id": ID,
    "endpoint_id": ID,
    "delivery_id": ID,
    "qworker_id": ID,
}
"""Parameters of paths that are more than a text."""


_FILTERS = (
    "model_id",
    "status",
    "created_after",
    "created_before",
    "since",
    "until",
    "id",
    "q",
    "sha256",
    "seed",
    "group_id",
    "metadata.KEY",
)
_REQUEST = ("request_not_found",)
_REFUSALS = (
    "invalid_payload",
    "content_policy",
    "insufficient_credits",
    "model_not_found",
    "too_many_queued",
    "storage_unavailable",
)

OPERATIONS: dict[str, Operation] = {
    "submit": Operation(
        "Requests",
        "Submit a request. Once answered it is durable; with ?dry_run it is only checked and priced.",
        "Submitted",
        ("dry_run", "wait"),
        ("Idempotency-Key",),
        "Submit",
        (
            *BODY,
            *LIMIT,
            *_REFUSALS,
            "idempotency_mismatch",
        ),
        also=("Request", "DryRun"),
    ),
    "observe": Operation(
        "Requests",
        "Observe a request, at once or (?wait) as soon as it is final.",
        "Request",
        ("wait", "attempts", "cleaned"),
        errors=(*LIMIT, *_REQUEST),
    ),
    "list_requests": Operation(
        "Requests",
        "List requests, newest first, by offset or cursor.",
        "RequestList",
        (*_FILTERS, "limit", "offset", "cursor"),
        errors=LIMIT,
    ),
    "delete_request": Operation(
        "Requests",
        "Cancel a request; a final one stays as it is. With ?purge, forget what it carried.",
        "Request",
        ("purge",),
        errors=_REQUEST,
    ),
    "cancel_request": Operation(
        "Requests", "Cancel a request; a final one stays as it is.", "Request", errors=_REQUEST
    ),
    "retry_request": Operation(
        "Requests",
        "Submit a failed or cancelled request once more, as a new one.",
        "Retried",
        headers=("Idempotency-Key",),
        errors=(*LIMIT, *_REQUEST, *_REFUSALS, "idempotency_mismatch"),
    ),
    "bulk": Operation(
        "Requests",
        "Cancel, retry or purge many requests, by id or by a filter whose count is known.",
        "BulkDone",
        headers=("Idempotency-Key",),
        body="Bulk",
        errors=(*BODY, *LIMIT, "idempotency_mismatch"),
    ),
    "batch": Operation(
        "Requests",
        "Submit up to 1,000 requests with one group id: all of them or none.",
        "BatchSubmitted",
        headers=("Idempotency-Key",),
        body="Batch",
        errors=(
            *BODY,
            *LIMIT,
            "insufficient_credits",
            "too_many_queued",
            "storage_unavailable",
            "idempotency_mismatch",
        ),
    ),
    "batch_alias": Operation(
        "Requests",
        "The same, for clients that cannot have a colon in a path.",
        "BatchSubmitted",
        headers=("Idempotency-Key",),
        body="Batch",
        errors=(
            *BODY,
            *LIMIT,
            "insufficient_credits",
            "too_many_queued",
            "storage_unavailable",
            "idempotency_mismatch",
        ),
    ),
    "group": Operation(
        "Requests",
        "How the requests of a group stand, and their ids.",
        "GroupPage",
        ("limit", "cursor"),
        errors=(*LIMIT, "not_found"),
    ),
    "cancel_group": Operation("Requests", "Cancel what is not final of a group.", "Group", errors=("not_found",)),
    "events": Operation(
        "Requests",
        "The events of a request, as a list or live as server-sent events.",
        "EventList",
        ("after",),
        ("Last-Event-ID",),
        errors=_REQUEST,
        more={200: "text/event-stream"},
    ),
    "organisation_events": Operation(
        "Requests",
        "Everything that happens to the organisation's requests: its log, or live as server-sent events.",
        "EventLog",
        ("model_id", "after", "limit"),
        ("Last-Event-ID",),
        errors=LIMIT,
        more={200: "text/event-stream"},
    ),
    "list_deliveries": Operation(
        "Webhooks",
        "The webhooks of a request, what was answered, and when the next try is.",
        "DeliveryList",
        errors=_REQUEST,
    ),
    "resend_delivery": Operation(
        "Webhooks", "Send a webhook once more, under its own webhook-id.", "Delivery", errors=(*_REQUEST, "not_found")
    ),
    "list_models": Operation("Models", "List the model ids.", "ModelIds", ("expand", "task", "family", "q", "live")),
    "session_list_models": Operation(
        "Models", "List the models in full.", "ModelList", ("expand", "task", "family", "q", "live")
    ),
    "model_detail": Operation(
        "Models", "Describe a model: its parameters, price and engine.", "Model", ("live",), errors=("model_not_found",)
    ),
    "upload_url": Operation(
        "Files",
        "Get a signed place for one upload, and the URL to use in payloads.",
        "UploadPlace",
        body="UploadPlan",
        errors=(*BODY, *LIMIT),
    ),
    "upload_file": Operation(
        "Files",
        "Upload a file as the multipart field file.",
        "File",
        headers=("Idempotency-Key",),
        body="multipart",
        errors=(*BODY, *LIMIT, "idempotency_mismatch", "storage_unavailable"),
    ),
    "list_files": Operation("Files", "List uploaded files, newest first.", "FileList", ("limit", "offset", "cursor")),
    "file_detail": Operation("Files", "Describe an uploaded file.", "File", errors=("file_not_found",)),
    "delete_file": Operation(
        "Files", "Delete an uploaded file, now.", "FileDeleted", errors=("file_not_found", "storage_unavailable")
    ),
    "usage": Operation(
        "Usage",
        "Successful requests, seconds of video and charges, and the balance.",
        "Usage",
        ("by", "since", "until"),
        errors=LIMIT,
    ),
    "log_in": Operation(
        "Sessions",
        "Log in with e-mail and password for a login token.",
        "LoginToken",
        body="Login",
        errors=(*BODY, *LIMIT, "invalid_credentials"),
        secured=False,
    ),
    "verification_code": Operation(
        "Sessions",
        "Ask for a code; authenticator apps make theirs themselves.",
        "Nothing",
        body="CodeWanted",
        errors=BODY,
        secured=False,
    ),
    "open_session": Operation(
        "Sessions",
        "Turn a login token (and a code) into a session.",
        "Tokens",
        body="SessionWanted",
        errors=(*BODY, *LIMIT, "invalid_otp", "unauthenticated"),
        secured=False,
    ),
    "refresh_session": Operation(
        "Sessions",
        "Turn a refresh token into new tokens.",
        "Tokens",
        body="Refresh",
        errors=(*BODY, "unauthenticated"),
        secured=False,
    ),
    "close_session": Operation("Sessions", "Log out everywhere this session is known.", "Nothing"),
    "sign_in": Operation(
        "Sessions",
        "Sign this browser in to the web page, from our own page only; the answer sets its cookie.",
        "SignedIn",
        body="SignIn",
        errors=(*BODY, *LIMIT, "invalid_credentials", "invalid_otp", "unauthenticated", "forbidden"),
        secured=False,
    ),
    "page_session": Operation(
        "Sessions",
        "Whom this browser's cookie stands for.",
        "SignedIn",
        headers=("X-Organization-ID",),
        errors=("not_found",),
    ),
    "sign_out": Operation("Sessions", "Sign this browser out.", "Nothing", errors=("forbidden",), secured=False),
    "profile": Operation(
        "Sessions",
        "Who is logged in, and for which organisations.",
        "Profile",
        headers=("X-Organization-ID",),
        errors=("not_found",),
    ),
    "list_keys": Operation("Organisations", "List the organisation's API keys.", "KeyList", errors=("not_found",)),
    "create_key": Operation(
        "Organisations", "Make an API key, shown once.", "NewKey", body="KeyWanted", errors=(*BODY, "not_found")
    ),
    "revoke_key": Operation("Organisations", "Revoke an API key within a second.", "Nothing", errors=("not_found",)),
    "list_webhook_secrets": Operation(
        "Organisations", "List the webhook secrets in force.", "SecretList", errors=("not_found",)
    ),
    "create_webhook_secret": Operation(
        "Organisations",
        "Make a webhook secret, shown once; the one before it goes on signing.",
        "NewSecret",
        errors=("not_found",),
    ),
    **ORGANISATION_OPERATIONS,
    **OPERATE_OPERATIONS,
    "early_models": Operation("Early API", "List the models as the early API shows them.", "EarlyModels"),
    "early_models_v1": Operation("Early API", "The same list in its usual form.", "EarlyModels"),
    "early_submit": Operation(
        "Early API",
        "Submit a request whose body is the payload itself.",
        "EarlySubmitted",
        body="Payload",
        errors=(
            *BODY,
            *LIMIT,
            *_REFUSALS,
        ),
    ),
    "early_status": Operation("Early API", "The status of a request.", "EarlyStatus", errors=(*LIMIT, *_REQUEST)),
    "early_result": Operation(
        "Early API",
        "The video, the reason there is none, or 202 while it is being made.",
        "EarlyResult",
        errors=(*LIMIT, *_REQUEST),
        more={202: "EarlyWaiting"},
    ),
    "early_cancel": Operation("Early API", "Cancel a request.", "EarlyWaiting", errors=_REQUEST),
    "artifact": Operation(
        "Links",
        "Read an artifact through its signed link.",
        "bytes",
        ("expires", "kid", "signature"),
        ("Range",),
        errors=("forbidden", "artifact_expired", "storage_unavailable"),
        secured=False,
        media="video/mp4",
        more={206: "bytes", 304: "", 416: ""},
    ),
    "public_file": Operation(
        "Links",
        "Read an uploaded file through its unguessable link.",
        "bytes",
        headers=("Range",),
        errors=("file_not_found", "artifact_expired", "storage_unavailable"),
        secured=False,
        media="*/*",
        more={206: "bytes", 304: "", 416: ""},
    ),
    "put_upload": Operation(
        "Links",
        "Put the bytes of an upload; errors are XML, as object stores answer.",
        query=("expires", "kid", "signature"),
        body="bytes",
        errors=("forbidden", "file_not_found", "body_too_large", "invalid_request", "storage_unavailable"),
        secured=False,
        media="application/xml",
    ),
    "healthz": Operation("Health", "This process answers.", "Health", secured=False),
    "readyz": Operation("Health", "This process can do its work.", "Health", secured=False),
    "openapi": Operation("Health", "This document.", "Nothing", secured=False),
    "docs": Operation("Health", "This API on one page.", "page", secured=False, media="text/html"),
}

BODIES: dict[str, tuple[str, Schema]] = {
    "multipart": (
        "multipart/form-data",
        {
            "type": "object",
            "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
            "required": ["file"],
        },
    ),
    "bytes": ("*/*", ANYTHING),
}
"""Request bodies that are not JSON."""


def body_of(name: str) -> tuple[str, Schema]:
    """The media type and schema of a request body."""
    return BODIES[name] if name in BODIES else ("application/json", ref(name))
