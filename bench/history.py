"""A long history made of one film: so many copies of a request, by SQL, as if they had been asked for one by one."""

from typing import Final
from uuid import UUID

import asyncpg

COPIES: Final = """
INSERT INTO requests
SELECT copy.* FROM requests original, generate_series(1, $2) number,
  LATERAL (SELECT clock_timestamp() - make_interval(secs => 3600 + number) AS at) moment,
  LATERAL (SELECT 'Copy ' || number || ' ' || $3 AS prompt) words,
  LATERAL jsonb_populate_record(original, jsonb_build_object('request_id', gen_random_uuid(), 'created_at', moment.at,
    'org_id', $4::uuid, 'key_id', null, 'payload', jsonb_build_object('prompt', words.prompt),
    'plan', jsonb_build_object('prompt', words.prompt))) copy
 WHERE original.request_id = $1
"""
TERMS: Final = """
INSERT INTO request_terms (org_id, created_at, request_id, terms)
SELECT org_id, created_at, request_id, terms_of(plan->>'prompt', metadata) FROM requests WHERE org_id = $1
    ON CONFLICT DO NOTHING
"""


async def copy_request(
    connection: "asyncpg.Connection[asyncpg.Record]", request_id: UUID, count: int, org_id: UUID, words: str = ""
) -> None:
    """So many copies of a request in an organisation, a second apart, an hour old and older, in the search index.

    Their prompts are "Copy N" and `words`, 1 the newest; they share the artifacts of the request they are copied from.
    """
    await connection.execute(COPIES, request_id, count, words, org_id, timeout=300)
    await connection.execute(TERMS, org_id, timeout=300)
