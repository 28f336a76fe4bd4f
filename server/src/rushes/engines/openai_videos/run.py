"""One video of a server of the OpenAI shape: submit, remember, poll, fetch, clean up.

Videos live in the memory of such a server, and a second submit makes a second video. So the id is durable before the
first poll, and a new attempt takes up what an earlier one began.
"""

import contextlib
import math
import time
from pathlib import Path
from typing import Any, cast

from rushes.engines.engine import (
    Cancelled,
    Control,
    Encoded,
    EngineLost,
    InvalidInput,
    OutOfMemory,
    Plan,
    Report,
    Unsupported,
)
from rushes.engines.openai_videos.form import encoded, fields_of
from rushes.engines.openai_videos.options import OpenAIVideosOptions
from rushes.engines.openai_videos.videos import LISTED, SKEW_SECONDS, Video, id_of, retrieved, the_one
from rushes.engines.remembered import Remembered
from rushes.engines.server import Server, Unreached, objects, one_line, refused
from rushes.engines.waiting import Pace, pause

FIRST_POLL, LAST_POLL = 0.5, 5.0
FETCHES = 3
DELETES = 20


class Run:
    """One attempt at one plan."""

    def __init__(
        self,
        server: Server,
        options: OpenAIVideosOptions,
        pace: Pace,
        plan: Plan,
        control: Control,
        fingerprint: str,
        first_poll: float = FIRST_POLL,
    ) -> None:
        self._server = server
        self._options = options
        self._pace = pace
        self._plan = plan
        self._control = control
        self._fingerprint = fingerprint
        self._first_poll = first_poll
        self._remembered = Remembered(control, options.base_url)
        self._shape = (plan.width, plan.height, plan.num_frames)

    async def whole(self) -> Encoded:
        """Raises Cancelled, InvalidInput, OutOfMemory, EngineLost, Unsupported."""
        started = time.monotonic()
        self._control.progress("waiting", 0, 1)
        video_id = await self._taken_up() or await self._submitted()
        try:
            video = await self._completed(video_id)
        except Cancelled as stop:
            if stop.for_good:
                await self._end(video_id)
            raise
        finished = time.monotonic()
        self._pace.took(self._shape, finished - started)
        path = self._control.scratch / "remote.mp4"
        await self._fetch(video_id, video, path)
        await self._delete(video_id)
        seconds = {"generating": finished - started, "fetching": time.monotonic() - finished}
        return Encoded(path, Report(self._plan.seed, self._fingerprint, seconds, _peak(video)))

    # -- beginning ------------------------------------------------------------------------------------------------

    async def _taken_up(self) -> str | None:
        """The id of a video that an earlier attempt began and that the server still knows."""
        found = self._remembered.trace.id
        if found is not None and await retrieved(self._server, found) is not None:
            return found
        return await self._in_the_list() if self._remembered.trace.sent_at and found is None else None

    async def _submitted(self) -> str:
        picture = self._plan.inputs.get("image")
        body, kind = encoded(fields_of(self._plan, self._options.dialect), Path(picture) if picture else None)
        self._remembered.sending(payload=self._asked_for)
        try:
            reply = await self._server.call(
                "POST", "/v1/videos", body=body, headers={"Content-Type": kind, "Content-Length": str(len(body))}
            )
        except Unreached as error:
            # It may have been accepted: the list knows.
            found = await self._in_the_list() if error.sent else None
            if found is None:
                if not error.sent:
                    self._remembered.nothing()
                raise
            self._remembered.made(found)
            return found
        if reply.status not in (200, 201, 202):
            if reply.status < 500:
                self._remembered.nothing()
            raise refused(reply, "the request")
        video_id = id_of(reply.data)
        if video_id is None:
            raise EngineLost("The server accepted the request, but its answer names no video")
        self._remembered.made(video_id)
        return video_id

    async def _in_the_list(self) -> str | None:
        """A video that only a submit of ours without an answer can have begun; None if there is any doubt.

        The list tells prompt and time, but no seed; so where several requests are outstanding, a match proves nothing.
        """
        if self._options.slots > 1:
            return None
        reply = await self._server.call("GET", f"/v1/videos?limit={LISTED}&order=desc")
        since = (self._remembered.trace.sent_at or time.time()) - SKEW_SECONDS
        return the_one(objects(reply.data, "data"), self._asked_for, since, math.inf)

    @property
    def _asked_for(self) -> dict[str, str]:
        """What the list tells of a video of ours."""
        return {"prompt": self._plan.prompt, "size": f"{self._plan.width}x{self._plan.height}"}

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _completed(self, video_id: str, *, deaf: bool = False) -> Video:
        """The video once it is there. `deaf`: the request was cancelled, but the server cannot be stopped."""
        delay, began = self._first_poll, time.monotonic()
        while True:
            video = await self._asked(video_id)
            status = "queued" if video is None else video.get("status")
            if video is not None and status == "completed":
                return video
            if video is not None and status not in ("queued", "in_progress"):
                if not deaf:
                    await self._delete(video_id)
                    self._remembered.nothing()  # the next attempt has it rendered anew
                raise _failure(video)
            if not deaf:
                self._tell(video or {}, time.monotonic() - began)
            await (pause(_Deaf(self._control), delay) if deaf else pause(self._control, delay))
            delay = min(delay * 1.5, LAST_POLL)

    async def _asked(self, video_id: str) -> Video | None:
        """The video as it is now; None if the server could not be asked, which ends nothing. Raises EngineLost."""
        try:
            video = await retrieved(self._server, video_id)
        except Unreached:
            return None
        if video is None:
            raise EngineLost("The server has forgotten the video: it was started again")
        return video

    def _tell(self, video: Video, elapsed: float) -> None:
        progress = video.get("progress")
        if video.get("status") == "queued" or not video:
            self._control.progress("waiting", 0, 1)
        elif isinstance(progress, int | float) and 0 < progress <= 100:
            self._control.progress("running", min(progress, 99), 100)
        else:
            self._control.progress("running", self._pace.share(self._shape, elapsed), 1)

    # -- ending ---------------------------------------------------------------------------------------------------

    async def _fetch(self, video_id: str, video: Video, path: Path) -> None:
        """Download the file; what broke off is fetched again. Raises EngineLost, Cancelled."""
        link = video.get("url")
        for left in reversed(range(FETCHES)):
            try:
                if isinstance(link, str) and link:
                    await self._server.download(link, path)  # uploaded to a cloud: the server has no copy to give
                else:
                    await self._server.content(f"/v1/videos/{video_id}/content", path)
            except EngineLost:
                if not left:
                    raise
                await pause(self._control, self._first_poll)
            else:
                return

    async def _end(self, video_id: str) -> None:
        """The customer has cancelled. One dialect stops when the video is deleted; of the other, the record is the only
        sign that the GPU is free again, so it is watched to the end."""
        if self._options.dialect == "sglang":
            with contextlib.suppress(
                EngineLost, InvalidInput, OutOfMemory, Unsupported
            ):  # it has ended, and how is equal
                await self._completed(video_id, deaf=True)
        await self._delete(video_id)

    async def _delete(self, video_id: str) -> None:
        """Forget the record, which never expires by itself. A server that does not let us costs memory, not a video."""
        for _ in range(DELETES):
            try:
                reply = await self._server.call("DELETE", f"/v1/videos/{video_id}")
            except (Unreached, Unsupported):
                return
            if reply.status != 409:  # still cancelling
                return
            await pause(_Deaf(self._control), self._first_poll)


class _Deaf:
    """The control of an attempt that has been cancelled already."""

    def __init__(self, control: Control) -> None:
        self.scratch, self.remembered = control.scratch, control.remembered

    def progress(self, phase: str, done: float, total: float) -> None:
        """Nobody reads it any more."""

    def check(self) -> None:
        """It was heard."""

    def remember(self, ref: str) -> None:
        """There is no next attempt."""


def _peak(video: Video) -> int:
    peak = video.get("peak_memory_mb")
    return int(peak * 1e6) if isinstance(peak, int | float) and 0 < peak < 1e9 else 0


def _failure(video: Video) -> InvalidInput | OutOfMemory | EngineLost:
    """Why a video failed, in the server's words."""
    error: Any = video.get("error")
    known = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    said, code = one_line(str(known.get("message") or "it does not say why")), known.get("code")
    if "out of memory" in said.lower():
        return OutOfMemory(f"The server ran out of memory: {said}")
    if str(code) in ("400", "413", "422"):
        return InvalidInput(f"The server refused the request: {said}")
    return EngineLost(f"The server failed: {said}")
