"""What names and values together say about a source's columns.

In: a :class:`Profile`. Out: roles that the values do not contradict; the word for events without a
type; the pattern of product ids.
"""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from shopsynth.ingest._profile import Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import alternatives, roles_of, squeezed

_NUMBERS = ("price", "quantity", "rating", "grade", "position")
_TIMES = ("timestamp", "available_at")
MIN_TIME_SHARE = 0.5
"""Least share of readable times that reading a column forgives; what is worse stops a run."""
# Longer texts in the column of an order line describe a product rather than name it.
_TITLE_CHARS = 80
_MAX_EVENT_TYPES = 20
_PATTERN_SHARE = 0.95
_PATTERN_REST_ALIKE = 0.5
_MIN_PATTERN_DIGITS = 3
_BOUGHT = ("order", "invoice", "purchase", "订单", "购买", "下单")


def trusted_roles(profile: Profile) -> dict[str, str]:
    """Find the role of every column, by name where there are names, checked against the values."""
    if profile.is_headless:
        return roles_by_values(profile)
    columns = list(profile.columns)
    roles = roles_of(columns)
    for role in (*_NUMBERS, *_TIMES):
        fits = [c for c in alternatives(role, columns) if _holds(profile, role, c)]
        roles.pop(role, None)
        if fits:
            roles[role] = fits[0]
        elif role in _TIMES and (partly := named_time(profile, role, MIN_TIME_SHARE)):
            roles[role] = partly
    if "timestamp" not in roles:
        times = [c.name for c in profile.columns.values() if c.is_time and not c.is_number]
        if times:
            roles["timestamp"] = times[0]
    if "review_text" in roles and "title" in roles and "review_title" not in roles:
        roles["review_title"] = roles.pop("title")
    described = roles.get("description")
    if "title" not in roles and described and _is_short(profile, described):
        roles["title"] = roles.pop("description")
    plain_id = next((c for c in columns if squeezed(c) == "id"), None)
    if "item_id" not in roles and plain_id and "title" in roles and profile.is_key(plain_id):
        roles["item_id"] = plain_id
    return roles


def _holds(profile: Profile, role: str, column: str) -> bool:
    facts = profile.columns[column]
    return facts.is_time if role in _TIMES else facts.is_number


def named_time(profile: Profile, role: str = "timestamp", min_share: float = 0) -> str | None:
    """Find the column that a name, if not its values, calls a time; the best readable one.

    Args:
        profile: A source with column names.
        role: ``timestamp`` or ``available_at``.
        min_share: Least share of its filled cells that must be times.
    """
    named = [profile.columns[c] for c in alternatives(role, list(profile.columns))]
    fits = [c for c in named if c.n_filled and c.time_share >= min_share]
    return max(fits, key=lambda column: column.time_share).name if fits else None


def _is_short(profile: Profile, column: str) -> bool:
    return profile.columns[column].mean_chars < _TITLE_CHARS


def roles_by_values(profile: Profile) -> dict[str, str]:
    """Guess the roles in a file without column names: who, what, which kind, when.

    The first column with many values is taken for the user, the second for the item, as logs are
    usually written; a column of times is the time, and one of a few codes the kind of event.
    """
    facts = list(profile.columns.values())
    times = [c.name for c in facts if c.is_time]
    many = [c.name for c in facts if c.n_distinct > _MAX_EVENT_TYPES and not c.is_key]
    roles: dict[str, str] = {}
    when = next((name for name in reversed(times) if name not in many[:2]), None)
    ids = [name for name in many if name != when][:2]
    if when is None or len(ids) < 2:
        return roles
    roles = {"user_id": ids[0], "item_id": ids[1], "timestamp": when}
    kinds = [c.name for c in facts if 1 < c.n_distinct <= _MAX_EVENT_TYPES and c.name != when]
    if kinds:
        roles["event_type"] = kinds[0]
    return roles


def is_bought(roles: dict[str, str]) -> bool:
    """Say whether columns tell that every row is a purchase: a quantity, an order, an invoice."""
    names = [squeezed(column) for column in roles.values()]
    return "quantity" in roles or any(word in name for name in names for word in _BOUGHT)


def id_pattern(profiles: Sequence[Profile], findings: Sequence[Finding]) -> str | None:
    r"""Find a shape that nearly all item ids share while a few codes do not.

    Returns:
        A regular expression such as ``^\d{5}``, or ``None`` if all ids share it or too few do.
    """
    finding = next((f for f in findings if f.table in ("events", "items")), None)
    profile = next((p for p in profiles if finding and p.source.path == finding.source.path), None)
    if finding is None or profile is None:
        return None
    column = finding.source.columns.get("item_id", "item_id")
    if column not in profile.sample.columns:
        return None
    ids = profile.sample[column].cast(pl.String).drop_nulls()
    shapes = ids.str.extract_groups(r"^([A-Za-z]*)(\d*)").struct.unnest()
    lengths = shapes.select(pl.all().str.len_chars())
    counts = Counter(lengths.iter_rows())
    if not counts:
        return None
    (n_letters, n_digits), _ = min(counts.items(), key=lambda item: (-item[1], item[0]))
    pattern = (f"^[A-Za-z]{{{n_letters}}}" if n_letters else "^") + f"\\d{{{n_digits}}}"
    fits = ids.str.contains(pattern)
    share = fits.mean()
    if n_digits < _MIN_PATTERN_DIGITS or not isinstance(share, float):
        return None
    # Running numbers of several lengths are no codes: the rest must be written otherwise.
    rest = ids.filter(~fits).unique()
    alike = rest.str.contains(r"^[A-Za-z]+\d+$" if n_letters else r"^\d+$").mean()
    is_other_kind = isinstance(alike, float) and alike < _PATTERN_REST_ALIKE
    return pattern if _PATTERN_SHARE < share < 1 and is_other_kind else None


def are_chinese(profiles: Sequence[Profile], findings: Sequence[Finding]) -> bool:
    """Say whether most titles, searches or reviews of a shop have a Chinese character.

    The first table that has such texts decides: searches, then reviews, then items.
    """
    for table, name in (("queries", "text"), ("reviews", "text"), ("items", "title")):
        finding = next((found for found in findings if found.table == table), None)
        column = finding.source.columns.get(name) if finding else None
        profile = next(
            (p for p in profiles if finding and p.source.path == finding.source.path), None
        )
        if profile is None or column not in profile.sample.columns:
            continue
        texts = profile.sample[column].cast(pl.String).drop_nulls()
        if texts.len():
            return texts.str.contains(r"\p{Han}").sum() > texts.len() / 2
    return False
