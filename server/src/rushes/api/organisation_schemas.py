"""The JSON bodies of organisations' webhooks, usage and retention."""

from rushes.api.schema import (
    ANYTHING,
    ID,
    MICRO,
    MOMENT,
    NUMBER,
    OBJECT,
    TEXT,
    URL,
    WHOLE,
    YES_NO,
    Schema,
    many,
    maybe,
    perhaps,
    ref,
    said,
    sent,
    thing,
)

_DELIVERY = thing(
    delivery_id=ID,
    event_id=said(TEXT, "Also the webhook-id, the same wherever the event goes."),
    type=TEXT,
    request_id=said(maybe(ID), "Null for the test of an endpoint."),
    endpoint_id=said(maybe(ID), "Null when it goes to the request's own webhook_url."),
    url=URL,
    state={"type": "string", "enum": ["waiting", "delivered", "given_up"]},
    tries=WHOLE,
    next_try_at=maybe(MOMENT),
    delivered_at=maybe(MOMENT),
    last_try_at=maybe(MOMENT),
    last_status=maybe(WHOLE),
    last_answer=said(maybe(TEXT), "The first 1,024 bytes of the answer, or why there was none."),
    created_at=MOMENT,
)
_DAYS: dict[str, Schema] = {"artifact_days": NUMBER, "file_days": NUMBER, "record_days": NUMBER}
_OWN_DAYS = {name: maybe(schema) for name, schema in _DAYS.items()}
_BALANCE: dict[str, Schema] = {
    "balance_micro_usd": said(maybe(MICRO), "Null: unlimited."),
    "held_micro_usd": said(MICRO, "The quotes of unfinished requests."),
    "free_micro_usd": said(maybe(MICRO), "What may still be spent; null: unlimited."),
}
_EVENTS = said(many(TEXT), "Event types; the three final ones unless given.")

ORGANISATION_SCHEMAS: dict[str, Schema] = {
    "Delivery": _DELIVERY,
    "DeliveryList": thing(deliveries=many(ref("Delivery"))),
    "DeliveryPage": thing(deliveries=many(ref("Delivery")), has_more=YES_NO, next_cursor=maybe(TEXT)),
    "DeliveryDetail": perhaps(
        _DELIVERY,
        body=said(maybe(TEXT), "As it would be sent now; null when its record is gone."),
        headers=said(maybe(OBJECT), "Signed now, over this body."),
    ),
    "Endpoint": thing(
        endpoint_id=ID,
        url=URL,
        events=many(TEXT),
        enabled=YES_NO,
        disabled_why=said(maybe(TEXT), "Why the server stopped sending there."),
        waiting=said(WHOLE, "Deliveries that wait for their next try."),
        failing_since=maybe(MOMENT),
        last_success_at=maybe(MOMENT),
        created_at=MOMENT,
    ),
    "EndpointList": thing(endpoints=many(ref("Endpoint")), event_types=many(TEXT)),
    "EndpointWanted": sent(("url",), url=URL, events=_EVENTS),
    "EndpointChange": sent(url=URL, events=_EVENTS, enabled=YES_NO),
    "Catcher": thing(
        url=URL,
        refused=said(WHOLE, "What came without a good signature; counted, not kept."),
        created_at=MOMENT,
        caught=many(
            thing(n=WHOLE, event_id=TEXT, at=MOMENT, verified=YES_NO, headers=OBJECT, body=said(TEXT, "As it came."))
        ),
    ),
    "Webhook": said(ANYTHING, "An event, as webhooks carry it."),
    "Usage": thing(
        by=many(TEXT),
        since=MOMENT,
        until=MOMENT,
        rows=many(ref("UsageSums")),
        total=ref("UsageSums"),
        **_BALANCE,
    ),
    "UsageSums": thing(requests=WHOLE, seconds=NUMBER, run_seconds=NUMBER, charge_micro_usd=MICRO),
    "Balance": thing(**_BALANCE),
    "Retention": thing(**_DAYS, own=thing(**_OWN_DAYS), server=thing(**_DAYS)),
    "RetentionChange": sent((), **_OWN_DAYS),
}
