"""What ``init`` did not use, and why.

In: the profiles of all sources, their roles, and the findings. Out: one note a source or a group of
columns that feeds no table.
"""

from collections.abc import Mapping, Sequence

from shopsynth.ingest._profile import Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import SYNONYMS, is_personal, squeezed
from shopsynth.ingest.settings import TableSource


def left_out(
    profiles: Sequence[Profile], roles: Sequence[Mapping[str, str]], findings: Sequence[Finding]
) -> list[str]:
    """Write the notes on what is left out, in the order of the sources.

    Args:
        profiles: All sources.
        roles: Role to column, one mapping a source.
        findings: What was made of them.
    """
    notes = []
    joined = {(j.path, j.table) for f in findings for j in f.source.joins}
    for profile, found in zip(profiles, roles, strict=True):
        place = (profile.source.path, profile.source.table)
        users = [f.source for f in findings if (f.source.path, f.source.table) == place]
        if not users:
            if place not in joined:
                why = _why(profile, found, profiles, findings)
                notes.append(f"{profile.label} is left out: {why}.")
            continue
        used = {c for source in users for c in (*source.columns.values(), *source.attributes)}
        rest = [column for column in profile.columns if column not in used]
        notes += _columns(profile, rest, has_users="user_id" in found)
    return notes


def label_of(profiles: Sequence[Profile], source: TableSource) -> str:
    """Name a source as notes do."""
    return next(
        p.label for p in profiles if (p.source.path, p.source.table) == (source.path, source.table)
    )


def _why(
    profile: Profile,
    roles: Mapping[str, str],
    profiles: Sequence[Profile],
    findings: Sequence[Finding],
) -> str:
    used = {finding.table: label_of(profiles, finding.source) for finding in findings}
    if "item_id" in roles and "user_id" in roles:
        if "timestamp" not in roles:
            return (
                "it names users and items, but no column holds their times (order_date, "
                "timestamp, 下单时间, …), so it is no table of events"
            )
        if "events" in used:
            return f"the events come from {used['events']}, which has more rows"
    if {"item_id", "query_id"} <= roles.keys() and "judgments" not in used:
        return (
            "it names queries and items, but no column grades them in numbers (grade, relevance, "
            "label, …); write words of a grade as numbers, such as 0 to 3"
        )
    if "item_id" in roles and "items" in used:
        return f"the items come from {used['items']}"
    if "user_id" in roles and profile.is_key(roles["user_id"]):
        return "apart from names, contacts and constants it says nothing of users"
    return "its columns fit no table"


def _sounds_personal(column: str) -> bool:
    """Say whether a column may name or reach people; names of products do not."""
    of_items = {name for role in ("title", "brand", "category") for name in SYNONYMS[role]}
    return is_personal(column) and squeezed(column) not in of_items - {"name"}


def _columns(profile: Profile, names: Sequence[str], *, has_users: bool) -> list[str]:
    personal = [name for name in names if has_users and _sounds_personal(name)]
    plain = [name for name in names if name not in personal]
    notes = []
    if plain:
        notes.append(
            f"{profile.label}: left out {', '.join(plain)}; add them to attributes to keep them."
        )
    if personal:
        notes.append(
            f"{profile.label}: left out {', '.join(personal)}, which may name or reach people."
        )
    return notes
