"""What icegil raises."""


class IcegilError(Exception):
    """Base of all errors of icegil's own."""


class GuardUnavailable(IcegilError):
    """`install(mode="guard")` was asked for, and the guard cannot be put in place here. The message says why."""


class UnsupportedIce(IcegilError):
    """The installed zeroc-ice is too old, or lacks what icegil builds on. The message says what was found."""
