"""Become the user PostgreSQL may run as, arrange to end with the parent, then exec the command.

Run by path as `python -I -S unprivileged.py IDENTITY PARENT_PID COMMAND...`, in a process of its own, because a user
namespace can be entered only by a process with a single thread. It therefore imports nothing of ours.

IDENTITY is `same`, `namespace:UID` (a user namespace in which we appear as UID) or `user:UID:GID`.
"""

import ctypes
import os
import sys

NAMESPACE_REFUSED = 77
"""Exit status: this machine does not let us make a user namespace."""
USER_REFUSED = 78
"""Exit status: we may not become the other user."""

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_SIGINT = 2


def main(arguments: list[str]) -> None:
    identity, parent, *command = arguments
    kind, *numbers = identity.split(":")
    if kind == "namespace":
        try:
            _enter_namespace(int(numbers[0]))
        except OSError as error:
            print(f"no user namespace: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(NAMESPACE_REFUSED)
    elif kind == "user":
        try:
            _become(int(numbers[0]), int(numbers[1]))
        except OSError as error:
            print(f"cannot become user {numbers[0]}: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(USER_REFUSED)
    if not _end_with(int(parent)):
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


def _enter_namespace(uid: int) -> None:
    """Appear as `uid` to ourselves; to the disk we stay who we are, so a folder of mode 0700 keeps working."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # user_namespaces(7): setgroups has to be denied before an unprivileged process may write its group map.
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {outer_uid} 1"), ("gid_map", f"{uid} {outer_gid} 1")):
        target = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(target, line.encode())
        finally:
            os.close(target)


def _become(uid: int, gid: int) -> None:
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def _end_with(parent: int) -> bool:
    """Have the kernel send SIGINT (PostgreSQL: fast shutdown) when the parent ends; False if it already has.

    Set last: the kernel forgets it when credentials change. Other systems than Linux have nothing like it; there the
    next start stops what is left (leftovers.py).
    """
    if sys.platform != "linux":
        return True
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGINT)
    return os.getppid() == parent


if __name__ == "__main__":
    main(sys.argv[1:])
