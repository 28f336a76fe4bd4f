"""The words that JSON Schemas are written in. Every key of a `thing` is always there; `maybe` may be null."""

from typing import Any

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


def said(schema: Schema, description: str) -> Schema:
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
WAITING_FOR: Schema = {
    "type": ["string", "null"],
    "description": "Why it cannot begin: nobody serves its engine, or its lane is held. Null otherwise, and in lists.",
}
STAGE: Schema = {"type": ["string", "null"], "description": "loading, generating, encoding or uploading."}
