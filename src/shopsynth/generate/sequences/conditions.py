"""From conditions to a plan: what is asked of a sample, checked against what the shop has.

In: conditions and what was learned. Out: a :class:`Plan`, or an error that names what is nearest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import empirical_draws
from shopsynth.generate._histories import EventForm
from shopsynth.generate.base import Conditions
from shopsynth.generate.sequences.beginnings import read_beginnings
from shopsynth.generate.sequences.event_tokens import EventTokens
from shopsynth.generate.sequences.plan import Given, Plan
from shopsynth.schema import InputError, nearest

Ints = NDArray[np.int64]

_SEPARATOR = " > "
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Shop:
    """What the conditions are checked against.

    Attributes:
        method: Whose conditions, for messages.
        form: What real events look like.
        tokens: The vocabulary of events.
        lengths: Events of each real history.
    """

    method: str
    form: EventForm
    tokens: EventTokens
    lengths: Ints


def make_plan(
    n: int, conditions: Conditions | None, shop: Shop, random: np.random.Generator
) -> Plan:
    """Plan ``n`` histories.

    Args:
        n: Number of histories.
        conditions: What they must keep to.
        shop: What was learned.
        random: Draws lengths, and the places of wanted items.

    Raises:
        InputError: If a condition cannot be met; the message names the nearest that can.
    """
    asked, where = conditions or Conditions(), f"generate.{shop.method}, conditions"
    period = shop.tokens.period
    if asked.period is not None:
        period = _period(asked.period, shop.tokens, where)
    allowed = None if asked.category is None else _items_of(asked.category, shop.form, where)
    lengths = random.permutation(empirical_draws(shop.lengths, n, random)).astype(np.int64)
    given = None
    if asked.start is not None:
        tokens, time = read_beginnings(
            asked.start, shop.form, shop.tokens, period[1], f"{where}.start"
        )
        given = Given.of(tokens, time).take(np.arange(n) % tokens.lengths.size)
        lengths = _longer(given.lengths, shop.lengths, random)
    wanted = _wanted(asked.item_ids, allowed, shop, where) if asked.item_ids else None
    # Among the events that are still to be made.
    first = np.zeros(n, dtype=np.int64) if given is None else given.lengths
    wanted_at = first + (random.random(n) * (lengths - first)).astype(np.int64)
    return Plan(
        lengths=lengths,
        attributes=np.zeros((n, 0), dtype=np.int64),
        period=period,
        allowed=allowed,
        wanted=wanted,
        wanted_at=wanted_at if asked.item_ids else None,
        given=given,
    )


def _longer(begun: Ints, lengths: Ints, random: np.random.Generator) -> Ints:
    """Draw how long histories get that have some events: as real ones that got further."""
    rising = np.sort(lengths)
    low = np.searchsorted(rising, begun, side="right")
    place = low + (random.random(begun.size) * (rising.size - low)).astype(np.int64)
    longer = rising[np.minimum(place, rising.size - 1)]
    return np.where(low < rising.size, longer, begun + 1)


def _items_of(category: str, form: EventForm, where: str) -> NDArray[np.bool_]:
    """Find the items of a category or of one below it."""
    if "category" not in form.items.columns:
        raise InputError(
            f"{where}.category: expected a catalogue with categories, got none; map the column "
            "under [shop.items] or leave the condition out"
        )
    first = form.items.unique("item_id", keep="first").sort("item_id")
    paths = first["category"]
    inside = (paths == category) | paths.str.starts_with(category + _SEPARATOR)
    found = inside.fill_null(False).to_numpy()
    if not found.any():
        parts = paths.drop_nulls().unique().sort().str.split(_SEPARATOR).to_list()
        known = {
            _SEPARATOR.join(part[:depth]) for part in parts for depth in range(1, 1 + len(part))
        }
        raise InputError(
            f"{where}.category: expected a category of the catalogue, got another; "
            f"{nearest(category, sorted(known))}"
        )
    return found


def _wanted(
    item_ids: tuple[str, ...], allowed: NDArray[np.bool_] | None, shop: Shop, where: str
) -> NDArray[np.bool_]:
    wanted = np.zeros(shop.form.n_items, dtype=np.bool_)
    wanted[shop.form.indices_of(item_ids, shop.method)] = True
    if allowed is not None:
        if not (wanted & allowed).any():
            raise InputError(
                f"{where}: expected at least one of the {wanted.sum()} item_ids in the category, "
                "got none; leave out the category, and histories may go through others"
            )
        wanted &= allowed
    return wanted


def _period(wanted: tuple[datetime, datetime], tokens: EventTokens, where: str) -> tuple[int, int]:
    """Return the part of a wanted time window in which the shop had events."""
    if not tokens.timed:
        raise InputError(
            f"{where}.period: expected a shop whose events have times, got one that knows only "
            "their order; leave the condition out"
        )
    start, end = (_microseconds(moment) for moment in wanted)
    if start > end:
        raise InputError(f"{where}.period: expected a start before the end, got one after it")
    low, high = tokens.period
    if end < low or start > high:
        away, way = (low - end, "later") if end < low else (start - high, "earlier")
        raise InputError(
            f"{where}.period: expected a time window in which the shop had events, got one "
            f"outside; the nearest begins {-(-away // _DAY)} days {way}"
        )
    return max(start, low), min(end, high)


def _microseconds(moment: datetime) -> int:
    utc = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(utc.timestamp() * 1_000_000)
