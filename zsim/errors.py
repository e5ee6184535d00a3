"""What can go wrong, as few kinds as a caller needs to tell apart. A message names the place, the value, the remedy."""


class ZsimError(Exception):
    """Anything zsim refuses; the command line prints it as one line and exits with `exit_code`."""

    exit_code = 1


class UsageError(ZsimError):
    """A name, option or combination that cannot be run (exit status 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration value that does not exist, has the wrong type or is out of range."""


class TraceError(UsageError):
    """A trace, image or sequence file that cannot be read as documented; names file, line and column."""


class ResultError(ZsimError):
    """A result that cannot be read or written."""
