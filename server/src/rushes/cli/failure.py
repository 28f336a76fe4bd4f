"""What a command says when it cannot do its work."""


class CommandFailed(Exception):
    """One clear sentence; the command ends with exit status 1."""
