"""Which source feeds which standard table.

In: the profiles of all sources. Out: one :class:`Finding` a table, and notes for the reader.
"""

from collections.abc import Sequence
from dataclasses import replace

from shopsynth.ingest._evidence import is_bought, named_time, trusted_roles
from shopsynth.ingest._files import shown
from shopsynth.ingest._left_out import label_of, left_out
from shopsynth.ingest._look import Look, finding_of
from shopsynth.ingest._profile import Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import is_personal, is_technical, squeezed
from shopsynth.ingest._words import (
    hardly_repeats,
    reviews_table,
    search_tables,
    with_words,
)
from shopsynth.ingest.settings import JoinedTable
from shopsynth.schema import TABLES

_ITEM_ROLES = ("title", "description", "brand", "category", "price", "currency", "image")
_MAX_ATTRIBUTE_CHARS = 200
_GOOD_OVERLAP = 0.5


def find_tables(profiles: Sequence[Profile]) -> tuple[list[Finding], list[str]]:
    """Assign sources to tables.

    Returns:
        Findings in the order of the standard tables, and notes: one a table and a doubt, and one a
        source or column that is left out.
    """
    looks = [with_words(Look(profile, trusted_roles(profile))) for profile in profiles]
    events = _find_events(looks) or _find_events([_believe_time(look) for look in looks])
    looks = [_name_headless(look, events) for look in looks]
    findings = {
        "events": _events(events),
        "items": _items(looks, events),
        "users": _users(looks, events),
        **search_tables(looks),
        "reviews": reviews_table(looks, events),
    }
    ordered = [found for name in TABLES if (found := findings.get(name)) is not None]
    notes = [f"{f.table} from {label_of(profiles, f.source)}: {f.why}" for f in ordered]
    notes += [f"{f.table}: {doubt}" for f in ordered for doubt in f.doubts]
    roles = [look.roles for look in looks]
    return ordered, [*notes, *left_out(profiles, roles, ordered)]


def _find_events(looks: list[Look]) -> Look | None:
    """Choose the source with user, item and time, the longest; else join order lines to orders.

    Last comes a source that has no time but a user's events numbered.
    """
    whole = [
        look
        for look in looks
        if look.has("user_id", "item_id", "timestamp") and not hardly_repeats(look)
    ]
    if whole:
        return max(whole, key=lambda look: look.profile.n_rows)
    for lines in looks:
        for orders in looks:
            joined = _joined(lines, orders, looks)
            if joined is not None:
                return joined
    numbered = [look for look in looks if _is_numbered(look)]
    return max(numbered, key=lambda look: look.profile.n_rows) if numbered else None


def _is_numbered(look: Look) -> bool:
    """Say whether a column gives each of a user's events its place."""
    if not look.has("user_id", "item_id", "position"):
        return False
    places = look.profile.sample.select(look.roles["user_id"], look.roles["position"])
    return not places.is_duplicated().any()


def _believe_time(look: Look) -> Look:
    """Take a column for the time by its name alone, where its values could not be read."""
    named = None if look.profile.is_headless else named_time(look.profile)
    if named is None or look.has("timestamp"):
        return look
    return replace(look, roles={**look.roles, "timestamp": named})


def _joined(lines: Look, orders: Look, looks: list[Look]) -> Look | None:
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
    return Look(lines.profile, roles, tuple(joins), {when: orders.profile.columns[when]})


def _name_headless(look: Look, events: Look | None) -> Look:
    """Give a file without names its key's role, by comparing keys with the events' ids."""
    if not look.profile.is_headless or events is None or look.has("user_id", "item_id"):
        return look
    for column in look.profile.columns.values():
        if not column.is_key:
            continue
        for role in ("item_id", "user_id"):
            if _overlap(events, role, look.profile, column.name) >= _GOOD_OVERLAP:
                return Look(look.profile, {role: column.name})
    return look


def _overlap(events: Look, role: str, profile: Profile, key: str) -> float:
    """Share of the events' distinct ids that a key column holds."""
    column = events.roles[role]
    if column not in events.profile.sample.columns:
        return 0.0
    ids = events.profile.ids(column)
    share = ids.is_in(profile.ids(key).implode()).mean()
    return share if isinstance(share, float) else 0.0


def _events(look: Look | None) -> Finding | None:
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
    found = finding_of("events", look, standard, basket, why, doubts)
    told: dict[str, str | int | float] = {"event_type": "purchase"}
    constant = told if is_bought(look.roles) and "event_type" not in look.roles else {}
    source = found.source.model_copy(update={"defaults": constant, "joins": look.joins})
    return replace(found, source=source)


def _items(looks: list[Look], events: Look | None) -> Finding | None:
    def fit(look: Look) -> tuple[bool, float, int]:
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
        return finding_of("items", look, standard, _attributes(look, standard), why, doubts)
    why = "its rows repeat items and describe them; clean keeps what most rows say."
    return finding_of("items", look, standard, (), why, [])


def _users(looks: list[Look], events: Look | None) -> Finding | None:
    for look in looks:
        if not look.is_key("user_id") or look.has("item_id") or look.has("order_id"):
            continue
        if events is not None and not _knows_users(look, events):
            continue
        attributes = tuple(c for c in _attributes(look, ("user_id",)) if not is_personal(c))
        why = "its user id does not repeat; names and contacts are left out."
        if attributes:
            return finding_of("users", look, ("user_id",), attributes, why, [])
    return None


def _knows_users(look: Look, events: Look) -> bool:
    """Say whether a file of users is about the events' users; of joined ones only by name."""
    if events.joins:
        return look.roles["user_id"] == events.roles["user_id"]
    return _overlap(events, "user_id", look.profile, look.roles["user_id"]) > 0


def _attributes(look: Look, standard: Sequence[str]) -> tuple[str, ...]:
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
