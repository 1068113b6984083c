"""What came up from below without being one of our errors, made one of them."""

from phx_pipeline.catalog.complaints import complaint
from phx_pipeline.errors import PhxError
from phx_pipeline.model.refusal import disk_error


def known(error: BaseException) -> PhxError | None:
    """Return *error* as ours: itself, or what disk or database said; None for a bug.

    Of a group of tasks that failed together the first one counts that is known.
    """
    if isinstance(error, PhxError):
        return error
    if isinstance(error, BaseExceptionGroup):
        inner = [found for one in error.exceptions if (found := known(one))]
        return inner[0] if inner else None
    if isinstance(error, OSError):
        return disk_error(error)
    return complaint(error, "a database") if isinstance(error, Exception) else None
