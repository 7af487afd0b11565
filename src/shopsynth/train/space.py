"""What a tuner may try: the values of one option of a model.

In: a list or a range. Out: a :class:`Choice`, which a model's options name in ``space``.
"""

from dataclasses import dataclass
from typing import Self

Value = bool | int | float | str
"""What an option can be set to by a tuner."""


@dataclass(frozen=True)
class Choice:
    """The values of one option that are worth trying; made by :meth:`of` or :meth:`between`.

    Attributes:
        values: The values of a list; empty for a range.
        low: Lower end of a range.
        high: Upper end of a range.
        log: Whether a range is drawn from evenly on a logarithmic scale.
    """

    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @classmethod
    def of(cls, *values: Value) -> Self:
        """Choose from a list, whose order means nothing.

        Raises:
            ValueError: If there are fewer than two values: then there is nothing to choose.
        """
        if len(set(values)) < 2:
            raise ValueError(f"Choice.of: expected two different values or more, got {values}")
        return cls(values=values)

    @classmethod
    def between(cls, low: float, high: float, *, log: bool = False) -> Self:
        """Choose a real number from a range, both ends included.

        Raises:
            ValueError: If the range is empty, or starts at 0 or below on a logarithmic scale.
        """
        if not low < high or (log and low <= 0):
            kind = "0 < low < high" if log else "low < high"
            raise ValueError(f"Choice.between: expected {kind}, got {low} and {high}")
        return cls(low=low, high=high, log=log)

    def holds(self, value: Value) -> bool:
        """Tell whether ``value`` is one of those that may be tried.

        Example:
            >>> Choice.of(32, 64).holds(48), Choice.between(0.1, 1.0).holds(0.5)
            (False, True)
        """
        if self.values:
            return value in self.values
        return not isinstance(value, str) and self.low <= value <= self.high
