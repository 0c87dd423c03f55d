"""Every failure tg_pipeline knows, as one tree. Three branches say what a caller may do.

    TgPipelineError
    ├── Transient   the same call may succeed later           exit code 75
    ├── Fatal       somebody has to change the surroundings   exit code 1 (2 for wrong usage)
    └── DataError   the input is at fault                     exit code 1 (4: quality gate)

Each class has a stable `code`; each instance carries what happened (`message`, which names the
place) and what to do about it (`remedy`). Facts a caller may want are attributes.
"""

from typing import ClassVar

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_QUARANTINED = 3
EXIT_REFUSED = 4
EXIT_TRY_LATER = 75
NAMED = 3  # a message names so many of what may be hundreds


class TgPipelineError(Exception):
    """Base of all our errors: `message` says what and where, `remedy` what to do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, remedy: str) -> None:
        message = message.encode(errors="replace").decode()  # a path need not be UTF-8
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Stay picklable although subclasses take other arguments."""
        return (_rebuild, (type(self), self.args, self.__dict__))

    def __str__(self) -> str:
        return f"{self.message} ({self.code}). {self.remedy}"


def _rebuild(
    kind: type[TgPipelineError], args: tuple[object, ...], facts: dict[str, object]
) -> TgPipelineError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class Transient(TgPipelineError):
    """May succeed later without anybody changing anything."""

    code = "transient"
    exit_code = EXIT_TRY_LATER


class Fatal(TgPipelineError):
    """Needs a change of settings, rights or surroundings."""

    code = "fatal"


class DataError(TgPipelineError):
    """The input cannot be used as it is; the rest of the work goes on."""

    code = "data"
