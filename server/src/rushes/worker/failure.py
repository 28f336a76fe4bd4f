"""What an exception in an attempt means for its request: a failure code and a sentence for the customer."""

import errno

from av.error import FFmpegError

from rushes.artifacts.objects import StorageUnavailable
from rushes.domain.errors import FAILURES, InvalidPayload
from rushes.domain.lane import ENGINE_CAUSES
from rushes.engines.engine import EngineError
from rushes.media.encode import WrongFrames
from rushes.media.probe import NotAsPlanned
from rushes.worker.child import DeadlinePassed

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Superseded(Exception):
    """Another attempt, a cancel or a purge holds the request: let go of it."""


class HandedBack(Exception):
    """This qworker gives the request back to the queue, and its try with it."""


class InputFailed(Exception):
    """An input could not be had or used; `code` is invalid_input or input_unavailable."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class OrderedFailure(Exception):
    """The payload ordered this failure (rushes_fault)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{FAILURES[code].text}, ordered by rushes_fault")
        self.code = code


def lane_cause(error: Exception, code: str) -> str | None:
    """What a failure counts as against its lane's engine; None for all that is not the engine's."""
    if isinstance(error, OrderedFailure) or code not in ENGINE_CAUSES:
        return None
    return None if isinstance(error, EngineError) and error.final else code


def reason(error: Exception) -> tuple[str, str]:
    """(failure code, text). The text of an unexpected exception stays in the log."""
    match error:
        case InputFailed() | OrderedFailure():
            return error.code, str(error)
        case EngineError():
            return error.code, f"{error.field}: {error}" if error.field else str(error)
        case InvalidPayload():
            return "invalid_input", str(error)
        case DeadlinePassed():
            return "timeout", str(error)
        case WrongFrames() | NotAsPlanned():
            return "engine_lost", str(error)
        case StorageUnavailable():
            return "storage_unavailable", FAILURES["storage_unavailable"].text
        case OSError() if error.errno in _DISK:
            return "storage_unavailable", "The worker's disk is full"
        case FFmpegError():
            return "engine_lost", "The engine gave frames that could not be encoded"
        case _:
            return "internal", FAILURES["internal"].text
