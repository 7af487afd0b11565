"""PrivateView: the only thing a synthesizer may learn from.

In: the training part of a split. Out: what the privacy mode lets a synthesizer see of it.
"""

from typing import Any, Self

import polars as pl

from shopsynth.schema import Dataset, PrivacyError


class PrivateView:
    """The training data after the privacy room, and nothing behind it.

    A view is made by :func:`shopsynth.privacy.open_view`; it holds no reference to raw rows, so
    there is nothing to reach around. User ids are pseudonyms, contributions are bounded, free text
    carries typed tags instead of contacts.

    Args:
        data: The protected tables.
        mode: The privacy mode that made them.
        fingerprint: Hash of the source the view was made from.
        max_events_per_user: The bound that was applied.
    """

    def __init__(
        self, data: Dataset, *, mode: str, fingerprint: str, max_events_per_user: int
    ) -> None:
        data.check_filled("PrivateView")
        self._data = data
        self.mode = mode
        self.fingerprint = fingerprint
        self.max_events_per_user = max_events_per_user

    @property
    def items(self) -> pl.DataFrame:
        """The catalogue; declared public, so it is visible in every mode."""
        return self._data.items

    @property
    def rows(self) -> Dataset:
        """The protected rows of all tables.

        Raises:
            PrivacyError: In mode ``dp``, where only mechanisms may answer.
        """
        if self.mode == "dp":
            raise PrivacyError(
                "PrivateView: mode dp gives no rows, only answers of mechanisms; "
                "choose a synthesizer that declares the mode dp, or another [privacy] mode"
            )
        return self._data

    def events(self) -> pl.DataFrame:
        """Return the protected events, by user and in time order.

        Raises:
            PrivacyError: In mode ``dp``.
            SchemaError: If the shop has no events.
        """
        return self.rows.ordered_events()

    @property
    def n_users(self) -> int:
        """How many users have events in the view.

        Raises:
            PrivacyError: In mode ``dp``, where even the number of users has to be bought.
        """
        return self.rows.need("events")["user_id"].n_unique()

    def protected_tables(self) -> dict[str, pl.DataFrame]:
        """Return what a workspace keeps on disk to :meth:`restore` the view, in every mode.

        For the workspace alone: what learns from a view asks :attr:`rows` or a mechanism.
        """
        return self._data.tables()

    def receipt(self) -> dict[str, Any]:
        """Return the facts a workspace keeps beside the protected tables."""
        return {
            "mode": self.mode,
            "fingerprint": self.fingerprint,
            "max_events_per_user": self.max_events_per_user,
        }

    @classmethod
    def restore(cls, data: Dataset, receipt: dict[str, Any]) -> Self:
        """Rebuild a view from protected tables and their :meth:`receipt`."""
        return cls(data, **receipt)

    def __repr__(self) -> str:
        if self.mode == "dp":  # Counts of people's rows have to be bought, like any answer.
            return "PrivateView(mode='dp')"
        return f"PrivateView(mode={self.mode!r}, {self._data.counts()})"

    def __reduce__(self) -> Any:
        raise PrivacyError("a PrivateView is not pickled; keep its tables and its receipt")
