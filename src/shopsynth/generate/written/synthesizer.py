"""The body of the methods of the room ``generate`` that ask a language model.

In: a function that makes a :class:`TableWriting` of a private view. Out: a registered method with
``fit``, ``sample`` and ``preview``, whose tables are the shop's or further ones.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import polars as pl

from shopsynth.generate._histories import id_prefix
from shopsynth.generate.base import (
    Conditions,
    Synthesizer,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.llm import LLMEndpoint
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.writing import (
    Draft,
    Writing,
    Written,
    preview,
    write,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    FURTHER,
    SILENT,
    Dataset,
    Progress,
    Settings,
    SyntheticDataset,
    derived_seed,
)
from shopsynth.schema.fingerprint import sha256_of

Chosen = TypeVar("Chosen", bound=WritingOptions)

WRITABLE = frozenset({"public", "deidentify"})
"""Modes in which a language model may be asked: what it is shown and what it writes has no
differential privacy, and rows that nobody protected never leave."""


class TableWriting(Writing[Any], Protocol):
    """A kind of writing whose rows are tables: the shop's, or further ones."""

    @property
    def items(self) -> pl.DataFrame:
        """The catalogue that its rows name."""

    @property
    def brands(self) -> Sequence[str]:
        """Names that are brands and no people."""

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make tables of rows.

        Args:
            drafts: Rows that passed, at least one.
            ids: An id for each.
            seed: Of what is drawn.
        """


Learn = Callable[[PrivateView, Chosen], TableWriting]
"""Makes the writing of a view; nothing in it is random, and nothing is asked."""


def writer(
    name: str, options: type[Chosen], table: str
) -> Callable[[Learn[Chosen]], type[Synthesizer]]:
    """Make a registered method of a function that makes a writing.

    The class takes the function's name and docstring. What a sample rejects travels with it; after
    ``sample`` or ``preview``, ``written_`` also holds what it cost. Set ``endpoint`` to ask one of
    your own making in place of ``options.endpoint``.

    Args:
        name: The method's name, that of its file.
        options: Settings of the recipe's ``options`` table.
        table: The table it makes.
    """

    def wrap(learn: Learn[Chosen]) -> type[Synthesizer]:
        class Writer:
            Options: ClassVar[type[Settings]] = options
            modes: ClassVar[frozenset[str]] = WRITABLE
            table: ClassVar[str]

            def __init__(self, options: Chosen) -> None:
                self.options = options
                self.endpoint: LLMEndpoint | None = None
                self.written_: Written | None = None
                self._model: tuple[TableWriting, str] | None = None

            @property
            def each_seed(self) -> bool:
                """Whether every seed of a run asks, and pays, anew."""
                return self.options.each_seed

            def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
                """Read what to write about; nobody is asked yet, and nothing is random.

                Raises:
                    PrivacyError: If ``view`` is not a view of mode public or deidentify.
                    SchemaError: If a column to read is missing.
                """
                check_view(view, name, self.modes)
                progress.start(f"{name}: reading", 1)
                self._model = learn(view, self.options), view.fingerprint
                progress.advance(1)
                return self

            def sample(
                self,
                n: int,
                *,
                conditions: Conditions | None = None,
                seed: int,
                progress: Progress = SILENT,
            ) -> SyntheticDataset:
                """Write ``n`` texts, or fewer where answers fail their checks too often.

                Each seed asks anew, and is paid anew.

                Raises:
                    InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are
                        given.
                    EndpointError: If no request can succeed.
                    InterruptedRunError: If the budget is spent or the endpoint is down.
                """
                check_request(n, conditions, name)
                writing, _ = fitted(self._model, name)
                written = write(
                    writing,
                    n,
                    self.options,
                    seed=seed,
                    endpoint=self.endpoint,
                    brands=writing.brands,
                    progress=progress,
                )
                return self._made(written, seed)

            def preview(self, *, seed: int, progress: Progress = SILENT) -> SyntheticDataset:
                """Ask the first ten requests of the sample with this seed, and stop."""
                writing, _ = fitted(self._model, name)
                written = preview(
                    writing,
                    self.options,
                    seed=seed,
                    endpoint=self.endpoint,
                    brands=writing.brands,
                    progress=progress,
                )
                return self._made(written, seed)

            def _made(self, written: Written, seed: int) -> SyntheticDataset:
                writing, source = fitted(self._model, name)
                self.written_ = written
                numbers = pl.Series(np.arange(1, len(written.drafts) + 1)).cast(pl.String)
                ids = id_prefix(name) + writing.template.name[:1] + numbers
                tables = writing.tables(written.drafts, ids, derived_seed(seed, name, "tables"))
                further = {made: rows for made, rows in tables.items() if made in FURTHER}
                shops = {made: rows for made, rows in tables.items() if made not in FURTHER}
                return SyntheticDataset(
                    data=Dataset(items=writing.items, **shops),
                    synthesizer=name,
                    config_sha256=sha256_of(self.options.model_dump(mode="json")),
                    seed=seed,
                    source_sha256=source,
                    further=further,
                    rejects=written.rejects,
                )

        Writer.table = table
        # Told, hashed and pickled as what the author wrote.
        told = ("__module__", "__name__", "__qualname__", "__doc__")
        update_wrapper(Writer, learn, assigned=told, updated=())
        return register(name)(Writer)

    return wrap


def further_table(name: str, rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Make a further table of rows.

    Args:
        name: Of :data:`shopsynth.schema.FURTHER`.
        rows: Cells in the order of its columns.
    """
    return pl.DataFrame(list(rows), schema=dict(FURTHER[name].columns), orient="row")
