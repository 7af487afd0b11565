"""What calls cost and what they may: money and tokens beside each other.

In: counts. Out: sums, and whether one passes a limit.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """What calls may cost, or did.

    Attributes:
        money: In billionths of the currency.
        tokens: Sent and answered.
    """

    money: int
    tokens: int

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.money + other.money, self.tokens + other.tokens)


@dataclass(frozen=True)
class Limit:
    """What calls may cost in all; ``None`` sets no limit. Fields as of :class:`Amount`."""

    money: int | None = None
    tokens: int | None = None

    def passed_by(self, amount: Amount) -> bool:
        """Tell whether an amount is more than may be spent."""
        return (self.money is not None and amount.money > self.money) or (
            self.tokens is not None and amount.tokens > self.tokens
        )
