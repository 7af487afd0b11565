"""The body of the methods that learn a shop's reviews and write new ones.

In: what one method learns of a private view. Out: its ``fit`` and ``sample``, and the table
``reviews``. Loads neither torch nor tokenizers, but says where they are missing.
"""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
)
from shopsynth.generate.language.controls import Controls, Levels
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.options import TextConditions
from shopsynth.generate.language.reviews import Reviews
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    MissingExtraError,
    Progress,
    Settings,
    SyntheticDataset,
    derived_seed,
)


class TextSource(Protocol):
    """What can be told values of columns and draws texts."""

    @property
    def controls(self) -> Controls:
        """The columns that its texts are told."""


Chosen = TypeVar("Chosen", bound=TextConditions)
Model = TypeVar("Model", bound=TextSource)


class ReviewWriter(ABC, Generic[Chosen, Model]):
    """What such methods share: a subclass says what it learns, and how that draws.

    Attributes:
        drawn_: What the last sample threw away: draws that copied a real text, blank ones, and
            texts that no draw could make.
    """

    method: ClassVar[str]
    Options: ClassVar[type[Settings]]
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "reviews"
    meets: ClassVar[frozenset[str]] = frozenset({"rows"})
    drawn_: Drawn

    def __init__(self, options: Chosen) -> None:
        self.options = options
        self._reviews: Reviews | None = None
        self._model: Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Learn from the reviews of a view.

        The same seed and number of threads give the same weights on a CPU; but noise of mode dp,
        where a method has it, takes no seed.

        Raises:
            PrivacyError: If ``view`` is no view, or its mode none of the method's.
            RecipeError: If a condition is no column that can be one, or options do not belong to
                the view's mode.
            EmptyDataError: If there is no review with a text; never in mode dp, which would tell.
            MissingExtraError: If torch or the library tokenizers is not installed.
            InputError: If the option ``wanted`` asks for what no real text has, or the loss stops
                being finite.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, self.method, self.modes)
        need_libraries(self.method)
        self._reviews, self._model = self._learn(view, seed, progress)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Write ``n`` reviews.

        With ``rows``, else with the option ``wanted``, each review has the values of one row, in
        turn; what a row leaves open is as in a real review that agrees with it. Fewer than ``n``
        come only where draws give nothing but copies; ``drawn_`` tells.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, a condition cannot be met, or
                all that is drawn copies real texts.
        """
        check_request(n, conditions, self.method, meets=self.meets)
        model, reviews = fitted(self._model, self.method), fitted(self._reviews, self.method)
        rows = self.options.wanted_rows
        if conditions is not None and conditions.rows is not None:
            rows = conditions.rows
        wanted = model.controls.asked(n, rows, self.method)
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, self.method)))
        self.drawn_ = self._draw(model, wanted, random, progress)
        self.drawn_.check(self.method)
        return reviews.written(
            self.drawn_.rows, method=self.method, options=self.options, seed=seed
        )

    def _read(self, view: PrivateView) -> Reviews:
        """Read the reviews of a view that gives rows; refuse wishes that nothing there can meet."""
        reviews = Reviews.read(view, self.options.conditions, self.method)
        if (rows := self.options.wanted_rows) is not None:
            Controls.fit(reviews.about).wanted(rows, f"generate.{self.method}.options.wanted")
        return reviews

    @abstractmethod
    def _learn(self, view: PrivateView, seed: int, progress: Progress) -> tuple[Reviews, Model]:
        """Learn from a view of the right mode, and set what is told of the fit."""

    @abstractmethod
    def _draw(
        self, model: Model, wanted: Levels, random: np.random.Generator, progress: Progress
    ) -> Drawn:
        """Draw a text for each row of levels, -1 where open."""


def need_libraries(method: str) -> None:
    """Refuse to go on without what a network over pieces needs.

    Raises:
        MissingExtraError: If torch or tokenizers is not installed.
    """
    missing = [name for name in ("torch", "tokenizers") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"generate.{method}: expected {' and '.join(missing)}, got none; "
            "pip install 'shopsynth[text,torch]'"
        )
