"""Sources of words: searches, what people judged of them, and reviews.

In: looks at all sources. Out: the same with roles that only their company gives away; findings for
``queries``, ``judgments`` and ``reviews``.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from shopsynth.ingest._look import Look, finding_of
from shopsynth.ingest._profile import Profile
from shopsynth.ingest._recipe_text import Finding
from shopsynth.ingest._roles import squeezed

_TEXTS = (
    "text", "content", "body", "message", "sentence", "utterance", "comments", "文本", "内容",
    "正文", "句子",
)  # fmt: skip
"""Names of a text of whatever kind; what stands beside it says of which."""

_CLASSES = (
    "label", "class", "target", "sentiment", "polarity", "intent", "emotion", "标签", "情感",
    "意图",
)  # fmt: skip
"""Names of a text's class, best first."""

_TOPICS = ("category", "cat", "topic", "type", "类目", "类别", "分类", "主题")
"""Names of a class where no item is named, whose category it would be."""

_MAX_CLASSES = 100
_ROWS_A_CLASS = 2
_SEARCHES = re.compile(r"quer|search|查询|搜索", re.IGNORECASE)

UNKNOWN_ITEM = "unknown"
"""What all texts are about whose source names no item."""


def with_words(look: Look) -> Look:
    """Give a plain column of text the role that the columns beside it make likely."""
    if look.profile.is_headless:
        return look
    roles = dict(look.roles)
    text = _named(look.profile, _TEXTS)
    key = _named(look.profile, ("id",))
    is_catalogue = look.has("title") and look.is_key("item_id")
    if text and is_catalogue:
        return replace(look, roles={"description": text, **roles})
    if text and not look.has("query") and not look.has("item_id"):
        if not look.has("query_id") and key and _SEARCHES.search(look.profile.label):
            roles["query_id"] = key
        if "query_id" in roles and "rating" not in roles:
            return replace(look, roles={**roles, "query": text})
    label = _class_column(look)
    if label:
        roles["label"] = label
    is_told = label is not None or "rating" in roles
    if text and is_told and not {"review_text", "query"} & roles.keys():
        roles["review_text"] = text
        if squeezed(roles.get("title", "")) in ("title", "标题"):
            roles["review_title"] = roles.pop("title")
    return replace(look, roles=roles)


def search_tables(looks: Sequence[Look]) -> dict[str, Finding]:
    """Find the sources of searches and of their judgments, in one source or in two."""
    found: dict[str, Finding] = {}
    for look in looks:
        if not look.has("query"):
            continue
        # A query that has no id is its own id.
        look = replace(look, roles={"query_id": look.roles["query"], **look.roles})
        if look.has("item_id", "grade"):
            why = "query, item and grade are in one row."
            found.setdefault("judgments", _judgments(look, why))
        why = "it holds search queries; each is kept once."
        found.setdefault(
            "queries", finding_of("queries", look, ("query_id", "text", "locale"), (), why, [])
        )
    if "queries" in found and "judgments" not in found:
        for look in looks:
            grade = look.roles.get("grade") or _named(look.profile, ("score",), is_number=True)
            if look.has("query_id", "item_id") and not look.has("query") and grade:
                why = "it grades items for queries that another source holds."
                look = replace(look, roles={**look.roles, "grade": grade})
                found["judgments"] = _judgments(look, why)
                break
    return found


def reviews_table(looks: Sequence[Look], events: Look | None) -> Finding | None:
    """Find the source of reviews, or of other short texts with a class.

    Args:
        looks: All sources.
        events: The source of events. Its own rows are reviews too only where they are named: most
            runs of events read no texts.
    """
    for look in looks:
        if not look.has("review_text") or not (look.has("item_id") or _is_told(look)):
            continue
        roles = dict(look.roles)
        keys = [c.name for c in look.profile.columns.values() if c.is_key and c.is_number]
        if "review_id" not in roles and keys:
            roles["review_id"] = keys[0]
        if "review_id" not in roles and events is not None and look.profile is events.profile:
            continue
        standard = (
            "review_id", "item_id", "text", "user_id", "title", "rating", "timestamp", "locale",
            "label",
        )  # fmt: skip
        found = finding_of(
            "reviews", replace(look, roles=roles), standard, (), _why(roles), _doubts(look)
        )
        if "item_id" in roles:
            return found
        constant = found.source.model_copy(update={"defaults": {"item_id": UNKNOWN_ITEM}})
        return replace(found, source=constant)
    return None


def hardly_repeats(look: Look) -> bool:
    """Say whether a source of texts has so few of each user that it is no history of anybody."""
    if not look.has("review_text", "user_id"):
        return False
    user = look.profile.columns[look.roles["user_id"]]
    return user.n_filled < 2 * user.n_distinct


def _why(roles: dict[str, str]) -> str:
    about = "it holds texts about items." if "item_id" in roles else "it holds texts with a class."
    named = "" if "review_id" in roles else " A review is named by what it says."
    return about + named


def _doubts(look: Look) -> list[str]:
    label = look.roles.get("label")
    if label is None:
        return []
    told = "beside the rating " if look.has("rating") else ""
    return [f"{label} is taken for the class {told}that models are to tell; map another if not."]


def _judgments(look: Look, why: str) -> Finding:
    return finding_of("judgments", look, ("query_id", "item_id", "grade"), (), why, [])


def _is_told(look: Look) -> bool:
    return look.has("rating") or look.has("label")


def _class_column(look: Look) -> str | None:
    """Choose the column that is the class of a text: few values, each in several rows."""
    names = _CLASSES if look.has("item_id") else (*_CLASSES, *_TOPICS)
    for name in names:
        column = _named(look.profile, (name,))
        facts = look.profile.columns[column] if column else None
        is_few = facts is not None and 2 <= facts.n_distinct <= _MAX_CLASSES
        if facts and is_few and facts.n_filled >= _ROWS_A_CLASS * facts.n_distinct:
            return column
    return None


def _named(profile: Profile, names: Sequence[str], *, is_number: bool = False) -> str | None:
    """Return the column with the first of these names."""
    for name in names:
        for facts in profile.columns.values():
            if squeezed(facts.name) == name and (facts.is_number or not is_number):
                return facts.name
    return None
