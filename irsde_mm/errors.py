"""What went wrong in words for the person at the keyboard.

Tools print these in a line or two and exit with 2; each is also the built-in
exception that a caller would expect.
"""


class IRSDEError(Exception):
    """Base of all errors that are about the input, not about a defect."""


class ConfigError(IRSDEError, ValueError):
    """A config is missing, cannot be read, or asks for the impossible."""


class CheckpointError(IRSDEError, ValueError):
    """A checkpoint is missing, is none, or does not fit the model."""


class DataError(IRSDEError, ValueError):
    """A data folder or an image is missing, broken or of another form."""


class ImageError(DataError):
    """One image file cannot be used; others may be."""


class OutputError(IRSDEError, OSError):
    """Something cannot be written, or would overwrite what is there."""


class TrainingError(IRSDEError, RuntimeError):
    """Training went wrong in a way that going on cannot mend."""


class Interrupted(IRSDEError):
    """Training was asked to stop, and did after saving."""

    #: Exit code of tools: EX_TEMPFAIL, "try again later".
    code = 75
