"""Errors that users meet: each is one clear sentence and an exit code."""


class IsoptsError(Exception):
    """What was given, what was expected, what to do. `cli/app.py` prints it and exits with `exit_code`."""

    exit_code = 2


class InputError(IsoptsError):
    """A file, a folder or an argument cannot be used."""


class ConfigError(IsoptsError):
    """A configuration has an unknown key or a value of the wrong type."""


class BackendError(IsoptsError):
    """An optional accelerator was asked for and cannot be imported or cannot do the job."""


class DivergedError(IsoptsError):
    """The fit produced a value that is not finite. Names the step and the loss terms."""

    exit_code = 3
