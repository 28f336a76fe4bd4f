"""Every route of the API once: path, method, handler, and the name its documentation has. A table, no logic."""

from rushes.api import (
    again,
    artifacts,
    batch,
    bulk,
    catcher,
    deliveries,
    docs,
    events,
    files,
    health,
    iam,
    legacy,
    models,
    operate,
    org_events,
    organizations,
    page_session,
    requests,
    retention,
    usage,
    webhook_endpoints,
)
from rushes.api.answers import Handler
from rushes.api.route import Route

KEY_PREFIX = "/api/v1/ie/requestqueue/apikey"
SHORT_PREFIX = "/api/v1/apikey"
SESSION_PREFIX = "/api/v1/ie/requestqueue"
PEOPLE = "/api/v1/me"
OPERATE = "/api/v1/operate"
ORGANIZATION = "/api/v1/organizations/{org_id}"
_ENDPOINT = f"{ORGANIZATION}/webhook-endpoints/{{endpoint_id}}"


def _queue(prefix: str, name: str) -> list[Route]:
    """The request-queue API under one of its prefixes; only the shape of GET models differs."""
    listing = models.objects if prefix == SESSION_PREFIX else models.ids
    rows: list[tuple[str, str, Handler, str]] = [
        ("POST", "/requests", requests.submit, "submit"),
        ("GET", "/requests/{request_id}", requests.observe, "observe"),
        ("GET", "/requests", requests.listing, "list_requests"),
        ("DELETE", "/requests/{request_id}", requests.cancel, "delete_request"),
        ("POST", "/requests/{request_id}/cancel", requests.cancel, "cancel_request"),
        ("POST", "/requests/bulk", bulk.bulk, "bulk"),
        ("POST", "/requests:batch", batch.submit, "batch"),
        ("POST", "/requests/batch", batch.submit, "batch_alias"),
        ("GET", "/groups/{group_id}", batch.group, "group"),
        ("POST", "/groups/{group_id}/cancel", batch.cancel, "cancel_group"),
        ("POST", "/requests/{request_id}/retry", again.retry, "retry_request"),
        ("GET", "/requests/{request_id}/events", events.events, "events"),
        ("GET", "/events", org_events.events, "organisation_events"),
        ("GET", "/requests/{request_id}/deliveries", deliveries.listing, "list_deliveries"),
        ("POST", "/requests/{request_id}/deliveries/{event_id}/resend", deliveries.resend, "resend_delivery"),
        ("GET", "/models", listing, "list_models"),
        ("GET", "/models/{model_id:path}", models.detail, "model_detail"),
        ("POST", "/upload-url", files.upload_url, "upload_url"),
        ("POST", "/files", files.post, "upload_file"),
        ("GET", "/files", files.listing, "list_files"),
        ("GET", "/files/{file_id}", files.get, "file_detail"),
        ("DELETE", "/files/{file_id}", files.delete, "delete_file"),
        ("GET", "/usage", usage.usage, "usage"),
    ]
    return [Route(method, prefix + path, handler, f"{name}{operation}") for method, path, handler, operation in rows]


ROUTES: list[Route] = [
    *_queue(KEY_PREFIX, ""),
    *_queue(SHORT_PREFIX, "short_"),
    *_queue(SESSION_PREFIX, "session_"),
    Route("POST", f"{PEOPLE}/auth-tokens", iam.auth_tokens, "log_in"),
    Route("POST", f"{PEOPLE}/2fa-verification-code", iam.verification_code, "verification_code"),
    Route("POST", f"{PEOPLE}/sessions", iam.open_session, "open_session"),
    Route("PATCH", f"{PEOPLE}/sessions", iam.refresh_session, "refresh_session"),
    Route("DELETE", f"{PEOPLE}/sessions", iam.close_session, "close_session"),
    Route("POST", f"{PEOPLE}/page-session", page_session.sign_in, "sign_in"),
    Route("GET", f"{PEOPLE}/page-session", page_session.who, "page_session"),
    Route("DELETE", f"{PEOPLE}/page-session", page_session.sign_out, "sign_out"),
    Route("GET", f"{PEOPLE}/profile", iam.profile, "profile"),
    Route("GET", f"{ORGANIZATION}/api-keys", organizations.list_keys, "list_keys"),
    Route("POST", f"{ORGANIZATION}/api-keys", organizations.create_key, "create_key"),
    Route("DELETE", f"{ORGANIZATION}/api-keys/{{key_id}}", organizations.revoke_key, "revoke_key"),
    Route("GET", f"{ORGANIZATION}/webhook-secrets", organizations.list_webhook_secrets, "list_webhook_secrets"),
    Route("POST", f"{ORGANIZATION}/webhook-secrets", organizations.create_webhook_secret, "create_webhook_secret"),
    Route(
        "DELETE",
        f"{ORGANIZATION}/webhook-secrets/{{secret_id}}",
        organizations.revoke_webhook_secret,
        "revoke_webhook_secret",
    ),
    Route("GET", f"{ORGANIZATION}/webhook-endpoints", webhook_endpoints.listing, "list_webhook_endpoints"),
    Route("POST", f"{ORGANIZATION}/webhook-endpoints", webhook_endpoints.create, "create_webhook_endpoint"),
    Route("PATCH", _ENDPOINT, webhook_endpoints.change, "change_webhook_endpoint"),
    Route("DELETE", _ENDPOINT, webhook_endpoints.delete, "delete_webhook_endpoint"),
    Route("POST", f"{_ENDPOINT}/test", webhook_endpoints.test, "test_webhook_endpoint"),
    Route("GET", f"{ORGANIZATION}/deliveries", deliveries.all_of, "list_all_deliveries"),
    Route("GET", f"{ORGANIZATION}/deliveries/{{delivery_id}}", deliveries.one, "delivery_detail"),
    Route("POST", f"{ORGANIZATION}/deliveries/{{delivery_id}}/resend", deliveries.resend_one, "resend_one_delivery"),
    Route("GET", f"{ORGANIZATION}/webhook-catcher", catcher.show, "show_catcher"),
    Route("POST", f"{ORGANIZATION}/webhook-catcher", catcher.make, "make_catcher"),
    Route("DELETE", f"{ORGANIZATION}/webhook-catcher", catcher.remove, "remove_catcher"),
    Route("POST", "/catch/{token}", catcher.receive, "catch_webhook"),
    Route("GET", f"{ORGANIZATION}/usage", usage.of_organization, "organization_usage"),
    Route("GET", f"{ORGANIZATION}/balance", usage.balance, "balance"),
    Route("GET", f"{ORGANIZATION}/retention", retention.show, "show_retention"),
    Route("PATCH", f"{ORGANIZATION}/retention", retention.change, "change_retention"),
    Route("GET", f"{OPERATE}/overview", operate.overview, "operate_overview"),
    Route("GET", f"{OPERATE}/queue", operate.queue, "operate_queue"),
    Route("GET", f"{OPERATE}/qworkers", operate.qworkers, "operate_qworkers"),
    Route("GET", f"{OPERATE}/lanes", operate.lanes, "operate_lanes"),
    Route("GET", f"{OPERATE}/events", operate.events, "operate_events"),
    Route("GET", f"{OPERATE}/series", operate.series, "operate_series"),
    Route("POST", f"{OPERATE}/qworkers/{{qworker_id}}/pause", operate.pause, "pause_qworker"),
    Route("POST", f"{OPERATE}/qworkers/{{qworker_id}}/resume", operate.resume_qworker, "resume_qworker"),
    Route("POST", f"{OPERATE}/qworkers/{{qworker_id}}/drain", operate.drain, "drain_qworker"),
    Route("POST", f"{OPERATE}/lanes/{{lane:path}}/hold", operate.hold, "hold_lane"),
    Route("POST", f"{OPERATE}/lanes/{{lane:path}}/resume", operate.resume_lane, "resume_lane"),
    Route("GET", "/video/models", legacy.models, "early_models"),
    Route("GET", "/v1/models", legacy.openai_models, "early_models_v1"),
    Route("GET", "/video/requests/{request_id}/status", legacy.status, "early_status"),
    Route("GET", "/video/requests/{request_id}", legacy.result, "early_result"),
    Route("DELETE", "/video/requests/{request_id}", legacy.cancel, "early_cancel"),
    Route("POST", "/video/{model_id:path}", legacy.submit, "early_submit"),
    Route("GET", "/artifacts/{artifact_id}/{name}", artifacts.artifact, "artifact"),
    Route("GET", "/files/{token}/{name}", artifacts.file, "public_file"),
    Route("PUT", "/uploads/{file_id}", files.put, "put_upload"),
    Route("GET", "/healthz", health.healthz, "healthz"),
    Route("GET", "/readyz", health.readyz, "readyz"),
    Route("GET", "/openapi.json", docs.openapi, "openapi"),
    Route("GET", "/docs", docs.page, "docs"),
]
