"""What a look at the test part is worth: is it the first one, under a plan registered before it?

In: the records of ``registration.jsonl``. Out: a :class:`Look`, confirmatory or exploratory, and
why.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

UNKNOWN = ""
"""In place of a hash: the plan or the rows of a look that nobody registered."""

DIGITS = 16
"""Hexadecimal digits of one row's hash in a sample."""


@dataclass(frozen=True)
class AskedRows:
    """Which rows a look reads, without saying what is in them.

    Attributes:
        sha256: Fingerprint of all rows, whatever their order; empty: unknown.
        sample: Hashes of the rows that come first by hash, sorted: two looks at common rows have
            common hashes here.
        whole: Whether the sample holds every row.
    """

    sha256: str = UNKNOWN
    sample: tuple[str, ...] = ()
    whole: bool = False

    def share_read(self, earlier: "AskedRows") -> float:
        """Estimate the share of these rows that an earlier look read; 1 where nobody knows.

        Of two samples by the same hash, the hashes below both ends are drawn alike, so their
        overlap estimates that of the rows (Broder 1997, bottom-k sketches). With 256 rows in the
        sample a common share of 1 % is seen with a chance of 92 %.
        """
        if UNKNOWN in (self.sha256, earlier.sha256) or self.sha256 == earlier.sha256:
            return 1.0
        ends = [rows.sample[-1] for rows in (self, earlier) if not rows.whole and rows.sample]
        drawn = [row for row in self.sample if not ends or row <= min(ends)]
        common = set(earlier.sample).intersection(drawn)
        return len(common) / len(drawn) if drawn else 0.0


@dataclass(frozen=True)
class Look:
    """One reading of the test part.

    Attributes:
        number: Its place among all looks of the workspace, from 1.
        looks: How many looks there are.
        exploratory: Whether these test rows were read before, or the plan was not registered.
        reason: Why it is exploratory, in plain words; empty where it is confirmatory.
        plan_sha256: The plan it was made under; empty if there was none.
        registered_at: When that plan was registered; empty likewise.
    """

    number: int
    looks: int
    exploratory: bool
    reason: str
    plan_sha256: str
    registered_at: str

    def facts(self) -> dict[str, Any]:
        """Return what ``summary.json`` and the report tell as ``registration``."""
        values = asdict(self)
        values["look"] = values.pop("number")
        return values


def registered_plans(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Map every registered plan to the moment it was registered."""
    return {r["plan_sha256"]: r["at"] for r in records if r["event"] == "registered"}


def opened_looks(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of all looks, oldest first."""
    return [record for record in records if record["event"] == "opened"]


def told_look(records: Sequence[dict[str, Any]], look: dict[str, Any]) -> Look:
    """Judge one look by what the records say happened before it.

    Args:
        records: All records, oldest first.
        look: One of :func:`opened_looks`.
    """
    looks, plans = opened_looks(records), registered_plans(records)
    place = looks.index(look)
    reason = _why_exploratory(look, looks[:place], plans)
    return Look(
        number=place + 1,
        looks=len(looks),
        exploratory=bool(reason),
        reason=reason,
        plan_sha256=look["plan_sha256"],
        registered_at=plans.get(look["plan_sha256"], ""),
    )


def _why_exploratory(
    look: dict[str, Any], before: Sequence[dict[str, Any]], plans: dict[str, str]
) -> str:
    rows = _rows(look)
    shares = [rows.share_read(_rows(earlier)) for earlier in before]
    read = [earlier for earlier, share in zip(before, shares, strict=True) if share > 0]
    if not read:
        return (
            "" if look["plan_sha256"] else "the test part was read before this plan was registered"
        )
    often = "once" if len(read) == 1 else f"{len(read)} times"
    share = max(shares)
    # A sample may miss a rare difference, or hold one: neither 0 nor 100 % is what it shows.
    rounded = min(99, max(1, round(100 * share)))
    what = "the test part was" if share == 1 else f"about {rounded} % of the test rows were"
    return f"{what} read {often} before, {_under_what(look, read, plans)}"


def _under_what(look: dict[str, Any], read: Sequence[dict[str, Any]], plans: dict[str, str]) -> str:
    others = [each["plan_sha256"] for each in read if each["plan_sha256"] != look["plan_sha256"]]
    if UNKNOWN in others:
        return "when no plan was registered here"
    if others:
        also = "" if len(others) == len(read) else "also "
        return f"{also}under another plan, registered {plans[others[0]]}"
    if any(each["look_sha256"] == look["look_sha256"] for each in read):
        return "under this plan; the results of then are no longer in the workspace"
    return "under this plan but with other rows, models or code"


def _rows(look: dict[str, Any]) -> AskedRows:
    packed = look["test_sample"]
    sample = tuple(packed[at : at + DIGITS] for at in range(0, len(packed), DIGITS))
    return AskedRows(look["test_sha256"], sample, look["test_whole"])
