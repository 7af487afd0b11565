"""PrivateView: the only thing a synthesizer may learn from.

In: the protected tables of a training part. Out: what the privacy mode lets a synthesizer see: rows
in the modes without guarantee, answers of mechanisms in mode ``dp``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from shopsynth.privacy.bounds import bound_contributions
from shopsynth.privacy.mechanisms.base import MECHANISMS, Mechanism
from shopsynth.privacy.noise import NoiseSource
from shopsynth.privacy.purse import Purse
from shopsynth.schema import FURTHER, Dataset, PrivacyError

Answers = Callable[[Sequence[Mechanism], NoiseSource], list[Any]]


class PrivateView:
    """The training data after the privacy room, and nothing behind it.

    A view is made by :func:`shopsynth.privacy.open_view`; it holds no reference to raw rows, so
    there is nothing to reach around. User ids are pseudonyms, contributions are bounded, free text
    carries typed tags instead of contacts. In mode ``dp`` the rows are no attribute at all: one
    method of this class can ask them, and it asks after it has paid. That stops mistakes; code that
    means harm runs in the same process and has your rights (docs, threat model).

    Args:
        data: The protected tables.
        mode: The privacy mode that made them.
        fingerprint: Hash of the source the view was made from.
        max_events_per_user: The bound that was applied; in mode ``dp`` it is applied again, because
            noise is scaled to it.
        users_bound: A public bound on the number of users, where the recipe declares one.
        purse: What answers are paid from; without one a view in mode ``dp`` answers nothing.
    """

    def __init__(
        self,
        data: Dataset,
        *,
        mode: str,
        fingerprint: str,
        max_events_per_user: int,
        users_bound: int | None = None,
        purse: Purse | None = None,
    ) -> None:
        data.check_filled("PrivateView")
        self.mode = mode
        self.fingerprint = fingerprint
        self.max_events_per_user = max_events_per_user
        self.users_bound = users_bound
        self._purse = purse
        self._items = data.items
        self._columns = {name: tuple(frame.columns) for name, frame in data.tables().items()}
        self._rows: Dataset | None = None
        self._answers: Answers | None = None
        if mode == "dp":
            self._answers = _asking(bound_contributions(data, max_events_per_user))
        else:
            self._rows = data

    @property
    def items(self) -> pl.DataFrame:
        """The catalogue; declared public, so it is visible in every mode."""
        return self._items

    def columns(self, table: str) -> tuple[str, ...]:
        """Name a table's columns, in every mode: the recipe maps them, so they tell of nobody.

        Args:
            table: A standard table.

        Returns:
            The names in order; none if the shop lacks the table.
        """
        return self._columns.get(table, ())

    @property
    def rows(self) -> Dataset:
        """The protected rows of all tables.

        Raises:
            PrivacyError: In mode ``dp``, where only mechanisms may answer.
        """
        if self._rows is None:
            raise PrivacyError(
                "PrivateView: mode dp gives no rows, only answers of mechanisms; "
                "choose a synthesizer that declares the mode dp, or another [privacy] mode"
            )
        return self._rows

    def events(self) -> pl.DataFrame:
        """Return the protected events, by user and in time order.

        Raises:
            PrivacyError: In mode ``dp``.
            SchemaError: If the shop has no events.
        """
        return self.rows.ordered_events()

    @property
    def n_users(self) -> int:
        """How many users have events in the view; in mode ``dp`` the public bound.

        Raises:
            PrivacyError: In mode ``dp`` without a bound: counting users has to be bought.
        """
        if self.mode != "dp":
            return self.rows.need("events")["user_id"].n_unique()
        if self.users_bound is None:
            raise PrivacyError(
                "PrivateView: mode dp counts no users for free; expected a public bound, got none; "
                "set users under [privacy]"
            )
        return self.users_bound

    def n_owners(self, table: str) -> int:
        """Count whom a method makes rows for: users, or queries or reviews in their own tables.

        A shop without searches has none to count: then each item stands for one. What is written
        about items counts these. In mode ``dp`` the public bound on users stands for whatever
        people wrote.

        Args:
            table: The table that is made: ``events``, ``judgments``, ``reviews``, or a further one.

        Raises:
            PrivacyError: As :attr:`n_users`.
            SchemaError: If the shop has no such table.
        """
        if table in FURTHER:
            return self.items.height
        if table == "events" or self.mode == "dp":
            return self.n_users
        if table == "judgments":
            return (self.items if self.rows.queries is None else self.rows.queries).height
        return self.rows.need(table).height

    @property
    def allowance(self) -> float:
        """The mu of Gaussian differential privacy that all answers may cost together.

        Mechanisms of noise multipliers s_1, s_2, … cost mu = sqrt(1 / s_1^2 + 1 / s_2^2 + …).

        Raises:
            PrivacyError: If the view has no purse.
        """
        return self._paid_from().allowance()

    def steps_noise(self, mu: float, *, steps: int, sampling_rate: float) -> float:
        """Say how much noise each step of a training needs; reads nothing.

        Args:
            mu: The part of the allowance that all steps may cost together, bought as one plan.
                Plans that follow one another add up as Gaussians do: by their squares.
            steps: Number of noisy steps.
            sampling_rate: Chance of a user to take part in a step.

        Returns:
            The least noise multiplier, in units of the clip.

        Raises:
            PrivacyError: If the view has no purse.
        """
        return self._paid_from().steps_noise(mu, steps=steps, sampling_rate=sampling_rate)

    def buy(self, mechanisms: Sequence[Mechanism]) -> list[Any]:
        """Ask the people in the data: reserve what all answers cost, answer, commit.

        A plan that is known beforehand is bought at once: its parts are composed as one, which
        costs less than one after the other.

        Args:
            mechanisms: Questions of this room's closed set.

        Returns:
            The answers, in order.

        Raises:
            PrivacyError: If a question is no mechanism of this room, or the budget does not cover
                the plan; then no row was read and nothing is spent.
        """
        strangers = sorted({type(m).__name__ for m in mechanisms if type(m) not in MECHANISMS})
        if strangers:
            raise PrivacyError(
                f"PrivateView.buy: expected mechanisms of shopsynth.privacy, got "
                f"{', '.join(strangers)}; only code whose sensitivity is proven here reads rows"
            )
        purse = self._paid_from()
        if self._answers is None:
            raise PrivacyError(
                f"PrivateView.buy: expected a view in mode dp, got mode {self.mode}; read its rows"
            )
        # By class: what an instance was given in place of its methods reads nothing.
        with purse.paying([type(mechanism).charge(mechanism) for mechanism in mechanisms]):
            return self._answers(mechanisms, purse.noise)

    def _paid_from(self) -> Purse:
        if self._purse is None:
            raise PrivacyError(
                f"PrivateView: this view in mode {self.mode} has no purse, so it answers nothing; "
                "open it with a ledger: shopsynth.privacy.open_view"
            )
        return self._purse

    def __repr__(self) -> str:
        if self._rows is None:  # Counts of people's rows have to be bought, like any answer.
            return "PrivateView(mode='dp')"
        return f"PrivateView(mode={self.mode!r}, {self._rows.counts()})"

    def __reduce__(self) -> Any:
        raise PrivacyError("a PrivateView is not pickled; keep its tables and its receipt")


def _asking(rows: Dataset) -> Answers:
    """Wrap rows into the one question that may be put to them."""

    def answer(mechanisms: Sequence[Mechanism], noise: NoiseSource) -> list[Any]:
        return [type(mechanism).answer(mechanism, rows, noise) for mechanism in mechanisms]

    return answer
