"""A source with the roles of its columns, and what is made of one.

In: a profile and roles. Out: a :class:`Look`; a :class:`Finding` for one standard table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shopsynth.ingest._evidence import MIN_TIME_SHARE
from shopsynth.ingest._profile import ColumnProfile, Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import alternatives
from shopsynth.ingest.settings import JoinedTable

# Standard columns by table, and the role that feeds each where the names differ.
_ROLE_OF = {
    ("queries", "text"): "query",
    ("reviews", "text"): "review_text",
    ("reviews", "title"): "review_title",
}


@dataclass(frozen=True)
class Look:
    """A source with the roles of its columns."""

    profile: Profile
    roles: dict[str, str]
    joins: tuple[JoinedTable, ...] = ()
    joined_columns: dict[str, ColumnProfile] = field(default_factory=dict)

    def has(self, *roles: str) -> bool:
        """Say whether columns play all these roles."""
        return all(role in self.roles for role in roles)

    def is_key(self, role: str) -> bool:
        """Say whether the column of a role identifies the rows."""
        return self.profile.is_key(self.roles.get(role))


def finding_of(
    table: str,
    look: Look,
    standard: Sequence[str],
    attributes: tuple[str, ...],
    why: str,
    doubts: Sequence[str],
) -> Finding:
    """Map the columns of a source that play a role in a standard table.

    Args:
        table: Standard table.
        look: Where it comes from.
        standard: Standard columns to map, as far as a column plays their role.
        attributes: Columns that travel along.
        why: One sentence on why this source feeds this table.
        doubts: What is uncertain; those about times are added.
    """
    roles = {column: _ROLE_OF.get((table, column), column) for column in standard}
    columns = {column: look.roles[role] for column, role in roles.items() if role in look.roles}
    facts = {column: _fact(look, roles[column], origin) for column, origin in columns.items()}
    times = [columns[column] for column in ("timestamp", "available_at") if column in columns]
    known = {**look.profile.columns, **look.joined_columns}
    doubts = [*doubts] + [
        doubt for origin in times if origin in known and (doubt := _time_doubt(known[origin]))
    ]
    source = look.profile.source.model_copy(update={"columns": columns, "attributes": attributes})
    return Finding(table, source, why, tuple(doubts), facts)


def _time_doubt(facts: ColumnProfile) -> str:
    """Say what is uncertain about a column of times, if anything is."""
    if facts.is_open_order:
        return f"in {facts.name}, day and month cannot be told apart; set date_format."
    if facts.is_time:
        return ""
    if facts.time_share >= MIN_TIME_SHARE:
        return (
            f"{1 - facts.time_share:.0%} of the filled cells in {facts.name} cannot be read as "
            "times; their rows will be set aside."
        )
    return (
        f"{facts.name} is named like a time, but {facts.time_share:.0%} of its filled cells can be "
        'read as one, so a run will stop there; set date_format, such as "%d/%m/%Y %H:%M", or map '
        "another column."
    )


def _fact(look: Look, role: str, column: str) -> str:
    facts = look.profile.columns.get(column)
    if facts is None:
        return "joined"
    empty = 1 - facts.n_filled / max(look.profile.n_rows, 1)
    text = f"{facts.n_distinct:,} values" + (f", {max(empty, 0.01):.0%} empty" if empty else "")
    names = list(look.profile.columns)
    others = [c for c in alternatives(role, names) if c != column]
    return text + (f"; or: {', '.join(others)}" if others else "")
