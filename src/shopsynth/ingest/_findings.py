"""Which source feeds which standard table.

In: the profiles of all sources. Out: one :class:`Finding` a table, and notes for the reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shopsynth.ingest._evidence import MIN_TIME_SHARE, is_bought, named_time, trusted_roles
from shopsynth.ingest._files import shown
from shopsynth.ingest._left_out import label_of, left_out
from shopsynth.ingest._profile import ColumnProfile, Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import alternatives, is_personal, is_technical, squeezed
from shopsynth.ingest.settings import JoinedTable
from shopsynth.schema import TABLES

# Standard columns by table, and the role that feeds each where the names differ.
_ROLE_OF = {
    ("queries", "text"): "query",
    ("reviews", "text"): "review_text",
    ("reviews", "title"): "review_title",
}
_ITEM_ROLES = ("title", "description", "brand", "category", "price", "currency", "image")
_MAX_ATTRIBUTE_CHARS = 200
_GOOD_OVERLAP = 0.5


@dataclass(frozen=True)
class _Look:
    """A source with the roles of its columns."""

    profile: Profile
    roles: dict[str, str]
    joins: tuple[JoinedTable, ...] = ()
    joined_columns: dict[str, ColumnProfile] = field(default_factory=dict)

    def has(self, *roles: str) -> bool:
        return all(role in self.roles for role in roles)

    def is_key(self, role: str) -> bool:
        return self.profile.is_key(self.roles.get(role))


def find_tables(profiles: Sequence[Profile]) -> tuple[list[Finding], list[str]]:
    """Assign sources to tables.

    Returns:
        Findings in the order of the standard tables, and notes: one a table and a doubt, and one a
        source or column that is left out.
    """
    looks = [_Look(profile, trusted_roles(profile)) for profile in profiles]
    events = _find_events(looks) or _find_events([_believe_time(look) for look in looks])
    looks = [_name_headless(look, events) for look in looks]
    findings = {
        "events": _events(events),
        "items": _items(looks, events),
        "users": _users(looks, events),
        **_search(looks),
        "reviews": _reviews(looks),
    }
    ordered = [found for name in TABLES if (found := findings.get(name)) is not None]
    notes = [f"{f.table} from {label_of(profiles, f.source)}: {f.why}" for f in ordered]
    notes += [f"{f.table}: {doubt}" for f in ordered for doubt in f.doubts]
    roles = [look.roles for look in looks]
    return ordered, [*notes, *left_out(profiles, roles, ordered)]


def _find_events(looks: list[_Look]) -> _Look | None:
    """Choose the source with user, item and time, the longest; else join order lines to orders.

    Last comes a source that has no time but a user's events numbered.
    """
    whole = [look for look in looks if look.has("user_id", "item_id", "timestamp")]
    if whole:
        return max(whole, key=lambda look: look.profile.n_rows)
    for lines in looks:
        for orders in looks:
            joined = _joined(lines, orders, looks)
            if joined is not None:
                return joined
    numbered = [look for look in looks if _is_numbered(look)]
    return max(numbered, key=lambda look: look.profile.n_rows) if numbered else None


def _is_numbered(look: _Look) -> bool:
    """Say whether a column gives each of a user's events its place."""
    if not look.has("user_id", "item_id", "position"):
        return False
    places = look.profile.sample.select(look.roles["user_id"], look.roles["position"])
    return not places.is_duplicated().any()


def _believe_time(look: _Look) -> _Look:
    """Take a column for the time by its name alone, where its values could not be read."""
    named = None if look.profile.is_headless else named_time(look.profile)
    if named is None or look.has("timestamp"):
        return look
    return replace(look, roles={**look.roles, "timestamp": named})


def _joined(lines: _Look, orders: _Look, looks: list[_Look]) -> _Look | None:
    """Join order lines (what) to orders (who, when), and to customers where orders need them."""
    key = lines.roles.get("order_id")
    if lines is orders or key is None or not lines.has("item_id"):
        return None
    if not orders.has("user_id", "timestamp") or orders.roles.get("order_id") != key:
        return None
    if not orders.is_key("order_id"):
        return None
    joins = [
        JoinedTable(path=orders.profile.source.path, table=orders.profile.source.table, on=key)
    ]
    user = orders.roles["user_id"]
    for customers in looks:
        better = customers.roles.get("user_id")
        if (
            orders.is_key("user_id")
            and better not in (None, user)
            and customers.profile.is_key(user if user in customers.profile.columns else None)
        ):
            source = customers.profile.source
            joins.append(JoinedTable(path=source.path, table=source.table, on=user))
            user = str(better)
            break
    when = orders.roles["timestamp"]
    roles = {**lines.roles, "user_id": user, "timestamp": when}
    return _Look(lines.profile, roles, tuple(joins), {when: orders.profile.columns[when]})


def _name_headless(look: _Look, events: _Look | None) -> _Look:
    """Give a file without names its key's role, by comparing keys with the events' ids."""
    if not look.profile.is_headless or events is None or look.has("user_id", "item_id"):
        return look
    for column in look.profile.columns.values():
        if not column.is_key:
            continue
        for role in ("item_id", "user_id"):
            if _overlap(events, role, look.profile, column.name) >= _GOOD_OVERLAP:
                return _Look(look.profile, {role: column.name})
    return look


def _overlap(events: _Look, role: str, profile: Profile, key: str) -> float:
    """Share of the events' distinct ids that a key column holds."""
    column = events.roles[role]
    if column not in events.profile.sample.columns:
        return 0.0
    ids = events.profile.ids(column)
    share = ids.is_in(profile.ids(key).implode()).mean()
    return share if isinstance(share, float) else 0.0


def _events(look: _Look | None) -> Finding | None:
    if look is None:
        return None
    order = "timestamp" if look.has("timestamp") else "position"
    standard = ("user_id", "item_id", order, "session_id", "event_type", "quantity", "price")
    basket = tuple(c for role in ("order_id",) if (c := look.roles.get(role)))
    why = "who, what and when are in one source."
    if order == "position":
        why = "who and what are in one source, and a number orders the events of a user."
    if look.joins:
        added = " and ".join(
            shown(join.path) + (f", table {join.table}" if join.table else "")
            for join in look.joins
        )
        why = f"order lines say what; who and when are joined from {added}."
    doubts = []
    if look.profile.is_headless:
        doubts.append("the file has no column names; the roles are guessed from its values.")
    if "event_type" in look.roles:
        doubts.append(
            "event_type stays as it is written; only GA4's word refund means something here."
        )
    found = _finding("events", look, standard, basket, why, doubts)
    told: dict[str, str | int | float] = {"event_type": "purchase"}
    constant = told if is_bought(look.roles) and "event_type" not in look.roles else {}
    source = found.source.model_copy(update={"defaults": constant, "joins": look.joins})
    return replace(found, source=source)


def _items(looks: list[_Look], events: _Look | None) -> Finding | None:
    def fit(look: _Look) -> tuple[bool, float, int]:
        # A title says most, so it counts twice.
        overlap = (
            _overlap(events, "item_id", look.profile, look.roles["item_id"]) if events else 0.0
        )
        n_roles = sum(role in look.roles for role in (*_ITEM_ROLES, _ITEM_ROLES[0]))
        return look.is_key("item_id"), overlap, n_roles

    with_items = [look for look in looks if look.has("item_id")]
    # A source that says nothing of an item but its id adds nothing to the events' own ids.
    telling = [
        look
        for look in with_items
        if look.is_key("item_id") or any(role in look.roles for role in _ITEM_ROLES)
    ]
    if not telling:
        return None
    look = max(telling, key=fit)
    standard = ("item_id", *_ITEM_ROLES, "available_at")
    if look.is_key("item_id"):
        why = "its item id does not repeat: a catalogue."
        doubts = []
        share = fit(look)[1]
        if events is not None and look.profile is not events.profile and share < 1:
            doubts.append(f"{share:.0%} of the items that events name are in it.")
        return _finding("items", look, standard, _attributes(look, standard), why, doubts)
    why = "its rows repeat items and describe them; clean keeps what most rows say."
    return _finding("items", look, standard, (), why, [])


def _users(looks: list[_Look], events: _Look | None) -> Finding | None:
    for look in looks:
        if not look.is_key("user_id") or look.has("item_id") or look.has("order_id"):
            continue
        if events is not None and not _knows_users(look, events):
            continue
        attributes = tuple(c for c in _attributes(look, ("user_id",)) if not is_personal(c))
        why = "its user id does not repeat; names and contacts are left out."
        if attributes:
            return _finding("users", look, ("user_id",), attributes, why, [])
    return None


def _knows_users(look: _Look, events: _Look) -> bool:
    """Say whether a file of users is about the events' users; of joined ones only by name."""
    if events.joins:
        return look.roles["user_id"] == events.roles["user_id"]
    return _overlap(events, "user_id", look.profile, look.roles["user_id"]) > 0


def _search(looks: list[_Look]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for look in looks:
        if not look.has("query"):
            continue
        # A query that has no id is its own id.
        roles = {"query_id": look.roles["query"], **look.roles}
        look = _Look(look.profile, roles)
        if look.has("item_id", "grade"):
            standard = ("query_id", "item_id", "grade")
            why = "query, item and grade are in one row."
            found.setdefault("judgments", _finding("judgments", look, standard, (), why, []))
        why = "it holds search queries; each is kept once."
        found.setdefault(
            "queries", _finding("queries", look, ("query_id", "text", "locale"), (), why, [])
        )
    return found


def _reviews(looks: list[_Look]) -> Finding | None:
    for look in looks:
        if not look.has("review_text", "item_id"):
            continue
        roles = dict(look.roles)
        keys = [c.name for c in look.profile.columns.values() if c.is_key and c.is_number]
        if "review_id" not in roles and keys:
            roles["review_id"] = keys[0]
        if "review_id" not in roles:
            continue
        standard = (
            "review_id", "item_id", "text", "user_id", "title", "rating", "timestamp", "locale"
        )  # fmt: skip
        why = "it holds texts about items."
        return _finding("reviews", _Look(look.profile, roles), standard, (), why, [])
    return None


def _attributes(look: _Look, standard: Sequence[str]) -> tuple[str, ...]:
    """Choose columns that may tell something: not used, not technical, neither constant nor key."""
    used = {look.roles.get(column) for column in standard}
    return tuple(
        facts.name
        for facts in look.profile.columns.values()
        if facts.name not in used
        and facts.name not in TABLES["items"].columns
        and not facts.is_key
        and facts.n_distinct > 1
        and facts.mean_chars <= _MAX_ATTRIBUTE_CHARS
        and not is_technical(facts.name)
        and squeezed(facts.name) != "hasimage"
    )


def _finding(
    table: str,
    look: _Look,
    standard: Sequence[str],
    attributes: tuple[str, ...],
    why: str,
    doubts: list[str],
) -> Finding:
    roles = {column: _ROLE_OF.get((table, column), column) for column in standard}
    columns = {column: look.roles[role] for column, role in roles.items() if role in look.roles}
    facts = {column: _fact(look, roles[column], origin) for column, origin in columns.items()}
    times = [columns[column] for column in ("timestamp", "available_at") if column in columns]
    known = {**look.profile.columns, **look.joined_columns}
    doubts = doubts + [
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


def _fact(look: _Look, role: str, column: str) -> str:
    facts = look.profile.columns.get(column)
    if facts is None:
        return "joined"
    empty = 1 - facts.n_filled / max(look.profile.n_rows, 1)
    text = f"{facts.n_distinct:,} values" + (f", {max(empty, 0.01):.0%} empty" if empty else "")
    names = list(look.profile.columns)
    others = [c for c in alternatives(role, names) if c != column]
    return text + (f"; or: {', '.join(others)}" if others else "")
