"""How long a model's requests took: medians of the latest, by size and length."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.domain.request import Status
from rushes.store.database import Database
from rushes.store.records import Ending, NewArtifact
from rushes.store.requests import Requests
from support.queueing import make_request


async def finished(requests: Requests, database: Database, org_id: UUID, model: str, width: int, took: float) -> None:
    request = await requests.submit(make_request(org_id, model=model))
    (claimed,) = await requests.claim(uuid4(), [request.lane], 1, timedelta(seconds=30))
    assert await requests.begin(claimed.request_id, claimed.attempt, "loading")
    video = NewArtifact(uuid4(), "video", f"v/{uuid4()}", "video/mp4", 3, "0" * 64, width, 1000, 24.0, 5.0)
    thumbnail = NewArtifact(uuid4(), "thumbnail", f"t/{uuid4()}", "image/jpeg", 3, "0" * 64, 640, 360)
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE requests SET started_at = clock_timestamp() - $2 * interval '1 second' WHERE request_id = $1",
            claimed.request_id,
            took,
        )
    assert await requests.finish(
        claimed.request_id,
        claimed.attempt,
        Ending(Status.SUCCESS, outcome={}, artifacts=(video, thumbnail), seconds=5.0),
    )


async def test_histories_are_medians_of_time_and_of_time_for_the_work(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    for width, took in ((1000, 10.0), (1000, 11.0), (2000, 60.0)):
        await finished(requests, database, org_id, "wan", width, took)
    found: Any = (await requests.histories(["wan", "kling"]))["wan"]
    assert found.run_seconds == pytest.approx(11.0, abs=0.5)
    assert found.pace == pytest.approx(11.0 / 5.0, abs=0.1)
    assert found.runs == 3
    assert found.low == pytest.approx((10.2 / 5.0) / (11.0 / 5.0), abs=0.05)
    assert found.high == pytest.approx((11.0 + 0.8 * 19.0) / 11.0, abs=0.1)
    assert "kling" not in await requests.histories(["wan", "kling"])
