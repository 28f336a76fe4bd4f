"""What a person reads when the machine does not let the platform run."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class PlatformError(Exception):
    """The platform cannot start or go on here. Its text is one sentence that says what would help."""


_REASONS = {
    errno.EACCES: "No permission to write in {path}; choose another folder or change its owner",
    errno.EPERM: "No permission to write in {path}; choose another folder or change its owner",
    errno.ENOSPC: "The disk that holds {path} is full; free some space or choose another folder",
    errno.EDQUOT: "The disk quota for {path} is used up; free some space or choose another folder",
    errno.EROFS: "{path} is on a disk that is read-only; choose another folder",
    errno.ENOTDIR: "{path} is not a folder, or lies below a file; choose another folder",
    errno.EEXIST: "{path} is a file, not a folder; choose another folder",
    errno.ENAMETOOLONG: "The path {path} is too long for this disk; choose a shorter one",
}


_OF_THE_FOLDER = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def explained(folder: Path) -> Generator[None]:
    """Turn the operating system's errors about `folder` into a PlatformError; everything else passes through."""
    try:
        yield
    except OSError as error:
        place = Path(str(error.filename)) if isinstance(error.filename, str) else folder
        ours = place.is_relative_to(folder)
        # Space and permission are a matter of the whole folder; anything else of the very path.
        shown = folder if ours and error.errno in _OF_THE_FOLDER else place
        other = "{path} cannot be used: " + (error.strerror or str(error))
        text = _REASONS.get(error.errno or 0, other) if ours or folder.is_relative_to(place) else other
        raise PlatformError(text.format(path=shown)) from error
