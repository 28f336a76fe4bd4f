"""What the OpenAPI document says of organisations' webhooks, usage and retention."""

from rushes.api.operation import BODY, LIMIT, Operation
from rushes.api.schema import ID, Schema, many

_MISSING = ("not_found",)

ORGANISATION_QUERY: dict[str, Schema] = {
    "state": {"type": "string", "enum": ["waiting", "delivered", "given_up"]},
    "endpoint_id": ID,
    "request_id": ID,
    "group_by": many({"type": "string", "enum": ["day", "model", "key"]}),
    "format": {"type": "string", "enum": ["json", "csv"], "description": "Also by Accept: text/csv."},
    "newer_than": {"type": "integer", "minimum": 0, "description": "Only what was caught after this number."},
}

ORGANISATION_OPERATIONS: dict[str, Operation] = {
    "revoke_webhook_secret": Operation(
        "Organisations", "Stop signing with a webhook secret; the last one stays.", "Nothing", errors=_MISSING
    ),
    "list_webhook_endpoints": Operation(
        "Webhooks", "List the standing endpoints, the failing ones first.", "EndpointList", errors=_MISSING
    ),
    "create_webhook_endpoint": Operation(
        "Webhooks",
        "Add a standing endpoint, told of all the organisation's requests from now on.",
        "Endpoint",
        body="EndpointWanted",
        errors=(*BODY, *_MISSING),
    ),
    "change_webhook_endpoint": Operation(
        "Webhooks",
        "Change an endpoint, or enable one that was disabled.",
        "Endpoint",
        body="EndpointChange",
        errors=(*BODY, *_MISSING),
    ),
    "delete_webhook_endpoint": Operation("Webhooks", "Delete an endpoint.", "Nothing", errors=_MISSING),
    "test_webhook_endpoint": Operation(
        "Webhooks", "Send a signed test event now, and answer with what came of it.", "Delivery", errors=_MISSING
    ),
    "list_all_deliveries": Operation(
        "Webhooks",
        "List the organisation's deliveries, newest first.",
        "DeliveryPage",
        ("state", "endpoint_id", "request_id", "limit", "cursor"),
        errors=_MISSING,
    ),
    "delivery_detail": Operation(
        "Webhooks", "Describe a delivery, with its body and headers.", "DeliveryDetail", errors=_MISSING
    ),
    "resend_one_delivery": Operation(
        "Webhooks", "Send one delivery once more, under its own webhook-id.", "Delivery", errors=_MISSING
    ),
    "show_catcher": Operation(
        "Webhooks",
        "The built-in receiver: its address, and what it caught in the last day.",
        "Catcher",
        ("newer_than", "limit"),
        errors=_MISSING,
    ),
    "make_catcher": Operation("Webhooks", "Make the built-in receiver, if there is none.", "Catcher", errors=_MISSING),
    "remove_catcher": Operation(
        "Webhooks", "Remove the built-in receiver and all it caught.", "Nothing", errors=_MISSING
    ),
    "catch_webhook": Operation(
        "Links",
        "Where the built-in receiver receives; it keeps only what this server signed.",
        "",
        body="Webhook",
        errors=(*_MISSING, "body_too_large"),
        secured=False,
        more={204: ""},
    ),
    "organization_usage": Operation(
        "Usage",
        "Successful requests, seconds of video and charges, as JSON or CSV.",
        "Usage",
        ("group_by", "since", "until", "format"),
        errors=(*LIMIT, *_MISSING),
        more={200: "text/csv"},
    ),
    "balance": Operation("Usage", "What may still be spent.", "Balance", errors=(*LIMIT, *_MISSING)),
    "show_retention": Operation(
        "Organisations", "How long inputs, artifacts and records are kept.", "Retention", errors=_MISSING
    ),
    "change_retention": Operation(
        "Organisations",
        "Keep things for a shorter time than the server does.",
        "Retention",
        body="RetentionChange",
        errors=(*BODY, *_MISSING),
    ),
}
