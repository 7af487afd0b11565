"""Which executor a recipe means.

In: the recipe's ``[pipeline]`` block. Out: an :class:`Executor`.
"""

from shopsynth.pipeline.base import Executor
from shopsynth.pipeline.local import InlineExecutor, LocalExecutor
from shopsynth.pipeline.recipe import PipelineSettings
from shopsynth.schema import UnknownNameError, nearest

_KNOWN = ("inline", "local")


def make_executor(settings: PipelineSettings) -> Executor:
    """Make the executor that the recipe names.

    Raises:
        UnknownNameError: If there is none of that name; lists the known ones.
    """
    if settings.executor == "inline":
        return InlineExecutor()
    if settings.executor == "local":
        return LocalExecutor(settings.workers, settings.threads)
    raise UnknownNameError(
        f"pipeline.executor {settings.executor!r} does not exist; "
        f"{nearest(settings.executor, _KNOWN)}"
    )
