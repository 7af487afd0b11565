"""Pieces of real histories that go on with another item than they did.

In: real histories, where pieces begin and end, and what comes next. Out: new histories.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._edits import keep_events, take_users
from shopsynth.generate._episodes import Episodes, begun_anew
from shopsynth.generate._histories import Histories

LAST = -1
"""The following event of what nobody came back after."""


@dataclass(frozen=True)
class Moments:
    """Events that have one time together, as a basket has.

    Attributes:
        number: ``(n_events,)`` the moment of each event, rising.
        ends: The last event of each moment that may be continued: those that another one of the
            same user follows, or all where nobody came twice.
        following: ``(n_events,)`` first event of the user's next moment, or ``LAST``.
    """

    number: NDArray[np.int64]
    ends: NDArray[np.int64]
    following: NDArray[np.int64]

    @classmethod
    def of(cls, histories: Histories) -> Self:
        """Find the moments of real histories."""
        opens = np.diff(histories.time, prepend=-1) != 0
        opens[histories.offsets[:-1]] = True
        number = np.cumsum(opens) - 1
        closes = np.append(np.flatnonzero(opens)[1:], opens.size) - 1
        after = np.where(np.isin(closes + 1, histories.offsets), LAST, closes + 1)
        continued = closes[after != LAST]
        return cls(number, continued if continued.size else closes, after[number])


def continued(
    real: Histories,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    targets: NDArray[np.int64],
    following: NDArray[np.int64],
    episodes: Episodes,
    random: np.random.Generator,
) -> Histories:
    """Keep a piece of a history and the event that opens the next moment, now the target's.

    Args:
        real: Real histories.
        starts: ``(n,)`` first event of each piece.
        ends: ``(n,)`` last event of each piece.
        targets: ``(n,)`` items that come next.
        following: ``(n,)`` events that become theirs; of ``LAST``, the last one of the piece is
            doubled, and the target comes at its time.
        episodes: From what somebody did with an item is drawn what the target's event carries.
        random: Source of randomness.

    Returns:
        ``n`` histories of two events or more, or one where the piece held the target alone.
    """
    user = real.user[ends]
    taken = take_users(real, user)
    shift = taken.offsets[:-1] - real.offsets[user]
    last = following == LAST
    doubled = np.sort(np.append(np.arange(taken.item.size), (ends + shift)[last]))
    offsets = taken.offsets + np.concatenate(([0], np.cumsum(last)))
    shift += offsets[:-1] - taken.offsets[:-1]
    longer = Histories(
        item=taken.item[doubled],
        time=taken.time[doubled],
        opens=taken.opens[doubled],
        row=taken.row[doubled],
        offsets=offsets,
    )
    new = np.where(last, ends + 1, following) + shift
    place = np.arange(longer.item.size)
    begin, end = (starts + shift)[longer.user], (ends + shift)[longer.user]
    # A target the user had anyway must not turn into a repeat.
    kept = (place >= begin) & (place <= end) & (longer.item != targets[longer.user])
    kept[new] = True
    row = begun_anew(longer, kept)
    row[new] = episodes.draw(np.arange(new.size), targets, random)
    item, opens = longer.item.copy(), longer.opens.copy()
    item[new] = targets
    opens[new] = ~last
    return keep_events(Histories(item, longer.time, opens, row, offsets), kept)
