"""An error as the page shows it: what happened, what to do, and all there is to know of it as a text for support.

static/fault.js fills the same markup from an answer of the API.
"""

from dataclasses import dataclass
from typing import Final

from rushes import __version__
from rushes.domain.errors import HTTP_ERRORS
from rushes.playground import view


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in words. `seconds` to wait before the next try, or 0."""

    label: str = ""
    text: str = ""
    advice: str = ""
    call: str = ""
    wait: str = ""
    seconds: int = 0
    support: str = ""


BLANK: Final = Fault()


def fault_of(
    *, status: int, code: str, text: str, path: str, now: float, call_id: str = "", retry_after: str | None = None
) -> Fault:
    """What to show of an error on the page at `path`. `now` in unix seconds."""
    row = HTTP_ERRORS.get(code)
    # The wait is said by a clock of its own, which the sentence would soon contradict.
    text = text.partition(" Try again in ")[0] if retry_after else text
    seconds = int(retry_after) if retry_after and retry_after.isdecimal() else 0
    facts = [f"{status} {code}", text, f"Call {call_id}" if call_id else "", f"Page {path}", view.clock(int(now))]
    return Fault(
        label=f"{status} {code}",
        text=text,
        advice=row.advice if row else "",
        call=call_id,
        wait=f"Try again in {view.duration(seconds)}." if seconds else "",
        seconds=seconds,
        support="\n".join([fact for fact in facts if fact] + [f"rushes {__version__}"]),
    )
