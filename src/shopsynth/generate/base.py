"""What every synthesizer and augmenter is, and where they are found.

In: a :class:`PrivateView`. Out: a :class:`SyntheticDataset`.

An *augmenter* changes real rows, a *synthesizer* learns and samples; both speak this protocol.
To add one: a file in this folder named after the method, holding a class decorated with
``@register("<the file's name>")``. The conformance suite finds it by itself. Every ``fit`` begins
with :func:`check_view`, every ``sample`` with :func:`check_request`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol, Self, TypeVar, runtime_checkable

import polars as pl

from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    InputError,
    PrivacyError,
    Progress,
    Registry,
    Settings,
    SyntheticDataset,
)

Fitted = TypeVar("Fitted")

WITHOUT_GUARANTEE = frozenset({"public", "deidentify", "unsafe_nonprivate"})
"""Privacy modes of a method that has no differentially private mechanism."""


class NoOptions(Settings):
    """Options of a method that has none."""


@dataclass(frozen=True)
class Conditions:
    """What a sample must look like; a method refuses conditions it cannot meet.

    Attributes:
        item_ids: Every history must contain one of these items (cold start).
        users: Attribute rows, one a wanted user.
        start: Events of begun histories; each made history goes on from one of them.
        category: What histories add is of this category, or of one below it.
        period: What histories add lies between these moments; UTC unless told.
        rows: Values that made rows of the method's own table must have (a review's ``rating``), one
            row a wanted row, in turn; a null leaves the choice to the method.
    """

    item_ids: tuple[str, ...] = ()
    users: pl.DataFrame | None = None
    start: pl.DataFrame | None = None
    category: str | None = None
    period: tuple[datetime, datetime] | None = None
    rows: pl.DataFrame | None = None


class Synthesizer(Protocol):
    """A method that makes synthetic rows.

    Class attributes:
        Options: Settings model of the recipe's ``options`` table.
        modes: Privacy modes in which the method may run.
        table: The table it makes, the shop's or a further one; its main one if it makes several.
    """

    Options: ClassVar[type[Settings]]
    modes: ClassVar[frozenset[str]]
    table: ClassVar[str]

    def __init__(self, options: Settings) -> None:
        """Keep the options; read nothing."""

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Learn from the view, the only data a method ever gets."""

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Make ``n`` synthetic users with all their rows; the same seed gives the same rows."""


@runtime_checkable
class StreamingSynthesizer(Protocol):
    """A method that need not hold a whole sample in memory."""

    def stream(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> Iterator[SyntheticDataset]:
        """Make the rows of ``sample``, in the same order, some users at a time."""


@runtime_checkable
class PaidSynthesizer(Protocol):
    """A method whose samples cost money: a run takes one for all seeds, unless told otherwise.

    Attributes:
        each_seed: Whether every seed of a run is to be paid.
    """

    @property
    def each_seed(self) -> bool:
        """Whether every seed of a run is to be paid."""


SYNTHESIZERS: Registry[Synthesizer] = Registry("generate")
"""All methods of the room."""

register = SYNTHESIZERS.register


def make_synthesizer(name: str, options: dict[str, object]) -> Synthesizer:
    """Find a method and give it checked options.

    Args:
        name: Registered name.
        options: The recipe's ``options`` table.

    Raises:
        UnknownNameError: If no method has the name.
        RecipeError: If an option is unknown or out of range.
    """
    cls = SYNTHESIZERS.get(name)
    return cls(cls.Options.parse(options, f"generate.{name}.options"))


def sample_parts(
    method: Synthesizer, n: int, *, seed: int, progress: Progress = SILENT
) -> Iterator[SyntheticDataset]:
    """Sample as a stream where the method can, else all at once.

    Args:
        method: A fitted method.
        n: Wanted users.
        seed: Of the sample.
        progress: Listener.

    Yields:
        The sample, some users at a time.
    """
    if isinstance(method, StreamingSynthesizer):
        yield from method.stream(n, seed=seed, progress=progress)
    else:
        yield method.sample(n, seed=seed, progress=progress)


def whole_sample(parts: Iterable[SyntheticDataset]) -> SyntheticDataset:
    """Put a stream together again; it must have at least one part."""
    parts = list(parts)
    tables = {
        name: pl.concat([part.data.need(name) for part in parts], rechunk=True)
        for name in ("users", "queries", "events")
        if getattr(parts[0].data, name) is not None
    }
    return replace(parts[0], data=replace(parts[0].data, **tables))


def check_view(view: PrivateView, method: str, modes: frozenset[str]) -> None:
    """Refuse everything but a private view in a mode the method may run in.

    Args:
        view: What ``fit`` was given; a plug-in's caller may pass anything.
        method: The method's name, for the message.
        modes: The method's ``modes``.

    Raises:
        PrivacyError: If it is not a :class:`PrivateView`, or its mode is not among ``modes``.
    """
    if not isinstance(view, PrivateView):
        raise PrivacyError(
            f"generate.{method}: expected a PrivateView, got {type(view).__name__}; raw rows never "
            "reach a synthesizer, make a view with shopsynth.privacy.open_view"
        )
    if view.mode not in modes:
        able = [name for name in SYNTHESIZERS.names() if view.mode in SYNTHESIZERS.get(name).modes]
        raise PrivacyError(
            f"generate.{method}: expected a view in mode {' or '.join(sorted(modes))}, got "
            f"{view.mode}; choose another [privacy] mode or a synthesizer that declares this one: "
            f"{', '.join(able) or 'none does'}"
        )


def check_request(
    n: int, conditions: Conditions | None, method: str, meets: frozenset[str] = frozenset()
) -> None:
    """Refuse a sample that cannot be made as asked.

    Args:
        n: Wanted number of users.
        conditions: Wanted conditions.
        method: The method's name, for the message.
        meets: Fields of :class:`Conditions` that the method can meet.

    Raises:
        InputError: If ``n`` is not positive or a condition cannot be met.
    """
    if n < 1:
        raise InputError(f"generate.{method}: expected n of at least 1 user, got {n}")
    if conditions is None:
        return
    wanted = {"item_ids": bool(conditions.item_ids)} | {
        name: getattr(conditions, name) is not None
        for name in ("users", "start", "category", "period", "rows")
    }
    unmet = sorted(name for name, given in wanted.items() if given and name not in meets)
    if unmet:
        raise InputError(
            f"generate.{method}: expected conditions among {', '.join(sorted(meets)) or 'none'}, "
            f"got {', '.join(unmet)}; leave them out or choose a method that can meet them"
        )


def fitted(model: Fitted | None, method: str) -> Fitted:
    """Return what ``fit`` learned.

    Raises:
        InputError: If ``fit`` has not run.
    """
    if model is None:
        raise InputError(f"generate.{method}: expected fit before sample, got no fit; call fit")
    return model
