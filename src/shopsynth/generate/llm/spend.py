"""Tokens and money: what a call may cost at most, what it did cost, what a folder cost so far.

In: settings with prices, requests, answers. Out: tokens and billionths of the currency, integers
which add up exactly; and a :class:`Spend` to tell people.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopsynth.generate.llm.amounts import Amount, Limit
from shopsynth.generate.llm.cache import FILE, AnswerStore, Counts
from shopsynth.generate.llm.endpoint import EndpointSettings, Reply
from shopsynth.schema import WorkspaceError

_BILLIONTHS = 10**9
_NANO_OF_PRICE = 1000
"""One token of a price a million, in billionths: 1e9 / 1e6."""

_TOKENS_A_MESSAGE = 16
"""Marks that a chat template puts around a message; four to ten in the templates we know."""


@dataclass(frozen=True)
class Spend:
    """What a folder of answers cost, over all runs.

    Attributes:
        paid_calls: Calls answered and billed.
        unpaid_calls: Calls that failed without a bill (429, 5xx, no connection).
        uncertain_calls: Calls whose end was not seen (time-out, a killed process). Each may have
            been billed, and counts in ``money`` at the most it may have cost.
        served_calls: Answers taken from the disk instead.
        input_tokens: Tokens sent in paid calls.
        output_tokens: Tokens answered in paid calls.
        money: What that is at the prices of the settings.
    """

    paid_calls: int
    unpaid_calls: int
    uncertain_calls: int
    served_calls: int
    input_tokens: int
    output_tokens: int
    money: float


def read_spend(folder: Path) -> Spend:
    """Tell what a folder of answers cost so far.

    Raises:
        WorkspaceError: If the folder has no answers, or their file is damaged.
    """
    if not (folder / FILE).is_file():
        raise WorkspaceError(f"answers in {folder}: expected {FILE}, got no such file")
    with AnswerStore(folder) as store:
        return told(store.counts())


def told(counts: Counts) -> Spend:
    """Put counts into words a person reads."""
    return Spend(
        paid_calls=counts.paid,
        unpaid_calls=counts.unpaid,
        uncertain_calls=counts.uncertain,
        served_calls=counts.served,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        money=(counts.spent + counts.held) / _BILLIONTHS,
    )


def most(payload: dict[str, Any], settings: EndpointSettings) -> Amount:
    """Bound what a request may cost.

    A tokenizer over bytes makes at most one token of a byte, so the bound needs no tokenizer.
    """
    text_bytes = sum(len(each["content"].encode()) for each in payload["messages"])
    schema_bytes = len(str(payload.get("response_format", "")).encode())
    n_input = text_bytes + schema_bytes + _TOKENS_A_MESSAGE * len(payload["messages"])
    return _amount(n_input, payload[settings.limit_word], settings)


def cost(reply: Reply, payload: dict[str, Any], settings: EndpointSettings) -> Amount:
    """Compute what an answer cost; the most it may, if the host does not say."""
    if not reply.input_tokens and not reply.output_tokens:
        return most(payload, settings)
    return _amount(reply.input_tokens, reply.output_tokens, settings)


def limit_of(settings: EndpointSettings) -> Limit:
    """Return both budgets, money in billionths."""
    money = None if settings.budget is None else round(settings.budget * _BILLIONTHS)
    return Limit(money, settings.token_budget)


def _amount(n_input: int, n_output: int, settings: EndpointSettings) -> Amount:
    money = _NANO_OF_PRICE * (n_input * settings.input_price + n_output * settings.output_price)
    return Amount(round(money), n_input + n_output)
