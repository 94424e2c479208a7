"""Every error that depth3d raises on purpose.

::

    Depth3DError
    ├── InvalidInput       a value that breaks a stated rule (also a ValueError)
    │   └── InvalidOption  the value of one option or argument; carries ``option``
    ├── FileError          something about one file; carries ``path``
    │   ├── ReadError      it cannot be read, or not rightly
    │   │   └── FlatError  it holds one eye only, and two are needed
    │   ├── WriteError     it cannot be written
    │   └── ExistsError    it is there already and ``force`` was not given
    ├── ModelError         a depth network cannot be found, loaded or run
    │   └── WeightsError   its weights are missing, damaged or cannot be fetched
    ├── ContextError       no OpenGL context, or a shader that does not compile
    └── VideoError         a clip cannot be decoded, encoded or resumed; may carry ``frame``

A message says what failed, on which file or frame, and what to do next. It names Python arguments, in backquotes
(`parallax`, `force=True`); the command line prints it as one line with flags instead (--parallax, --force). It exits
with 2 for ``InvalidOption`` and with 1 for all others.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ContextError",
    "Depth3DError",
    "ExistsError",
    "FileError",
    "FlatError",
    "InvalidInput",
    "InvalidOption",
    "ModelError",
    "ReadError",
    "VideoError",
    "WeightsError",
    "WriteError",
    "in_words",
]


def in_words(error: BaseException) -> str:
    """Return what an error says, without numbers of the system ("[Errno 28]") and without the file's name.

    Parameters
    ----------
    error : BaseException
        An error of Python, the system, or a library.
    """
    return " ".join(str(getattr(error, "strerror", None) or error).split())


class Depth3DError(Exception):
    """The parent of all errors that depth3d raises on purpose."""


class InvalidInput(Depth3DError, ValueError):
    """A value breaks a stated rule; the message names *actual* and *expected*."""


# A reason that begins so follows the option's name as one sentence.
_VERBS = ("is ", "does ", "names ", "holds ", "needs ", "belongs ", "applies ", "cannot ", "excludes ")


class InvalidOption(InvalidInput):
    """The value of one option or argument breaks its rule.

    Parameters
    ----------
    option : str
        Name of the Python argument.
    reason : str
        Actual and expected value; follows the name in the message.
    """

    def __init__(self, option: str, reason: str) -> None:
        colon = "" if reason.startswith(_VERBS) else ":"
        super().__init__(f"{option}{colon} {reason}")
        self.option = option
        self.reason = reason

    def __reduce__(self) -> tuple[type[InvalidOption], tuple[str, str]]:
        return type(self), (self.option, self.reason)


class FileError(Depth3DError):
    """Something is wrong with one file.

    Parameters
    ----------
    path : str | Path
        The file the user gave.
    reason : str
        What is wrong and what to do, without the path.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[FileError], tuple[Path, str]]:
        # Exceptions with more than one argument do not survive a worker process otherwise.
        return type(self), (self.path, self.reason)


class ReadError(FileError):
    """The file cannot be read, or not correctly.

    Parameters
    ----------
    path : str | Path
        The file.
    reason : str
        What is wrong with it, and what to do; follows the name of the file in the message.
    """


class FlatError(ReadError):
    """The file holds one eye only, where two are needed.

    Parameters
    ----------
    path : str | Path
        The file.
    reason : str
        Where a second eye was looked for, and what to do; follows the name of the file in the message.
    """


class WriteError(FileError):
    """The file cannot be written.

    Parameters
    ----------
    path : str | Path
        The file.
    reason : str
        What is wrong with it, and what to do; follows the name of the file in the message.
    """


class ExistsError(WriteError):
    """The file exists already and ``force`` was not given.

    Parameters
    ----------
    path : str | Path
        The file.
    reason : str
        What is wrong with it, and what to do; follows the name of the file in the message.
    """

    def __init__(self, path: str | Path, reason: str = "exists already (`force=True` replaces it)") -> None:
        super().__init__(path, reason)


class ModelError(Depth3DError):
    """A depth network cannot be found, loaded or run."""


class WeightsError(ModelError):
    """The weights of a network are missing, damaged or cannot be fetched."""


class ContextError(Depth3DError):
    """No OpenGL context could be made, or a shader does not compile."""


class VideoError(Depth3DError):
    """A clip cannot be decoded, encoded or resumed.

    Parameters
    ----------
    message : str
        What failed, and what to do.
    frame : int | None
        Number of the frame where it failed, from 0.
    """

    def __init__(self, message: str, frame: int | None = None) -> None:
        super().__init__(message if frame is None else f"frame {frame}: {message}")
        self.frame = frame
        self._message = message

    def at(self, frame: int) -> VideoError:
        """Return the same error with another frame number.

        Parameters
        ----------
        frame : int
            Number of the frame, from 0.
        """
        return VideoError(self._message, frame)

    def __reduce__(self) -> tuple[type[VideoError], tuple[str, int | None]]:
        return type(self), (self._message, self.frame)
