"""Open a view: from the training part of a split to what a synthesizer may see of it.

In: real tables, the recipe's ``[privacy]`` block, the pseudonym key and the ledger so far. Out: a
:class:`PrivateView` and the ledger with what was done; or, for a workspace, the protected tables
with the receipt that makes a view of them again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from shopsynth.privacy.attributes import protect_attributes
from shopsynth.privacy.bounds import bound_contributions, one_key_a_person
from shopsynth.privacy.budget import check_budget
from shopsynth.privacy.fingerprint import keyed_fingerprint, source_fingerprint
from shopsynth.privacy.key import check_key
from shopsynth.privacy.pii import replace_pii
from shopsynth.privacy.pseudonyms import pseudonymise
from shopsynth.privacy.purse import Purse
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.view import PrivateView
from shopsynth.schema import (
    TABLES,
    Dataset,
    LedgerEntry,
    PrivacyError,
    PrivacyLedger,
)

_PERSONAL_TABLES = ("users", "events", "queries", "reviews")
"""Tables whose rows people made; the catalogue, its images and relations are public."""

_PSEUDONYM_MODES = ("deidentify", "dp")

PUBLIC_IDS = frozenset({"item_id", "query_id"})
"""Ids that stay: they name products and query texts, not people."""

CODED_COLUMNS = frozenset({"event_type", "locale", "label"})
"""Standard text columns with a closed vocabulary: no free text, nothing to replace."""

_DIRECT_IDENTIFIER = (
    r"(?i)^(?:(?:user|customer|client|buyer|first|last|full|family|given|sur|nick|shipping|billing"
    r"|home|contact|account|screen)[ _-]?)*"
    r"(?:e-?mail|phone|telephone|mobile|fax|name|address|street|zip|zip[ _-]?code|postcode"
    r"|postal[ _-]?code|ip|passport|ssn|tax[ _-]?id|national[ _-]?id|iban|card|card[ _-]?number"
    r"|birth[ _-]?(?:date|day)|date[ _-]?of[ _-]?birth|dob|wechat|qq|user[ _-]?agent)"
    r"(?:[ _-]?(?:address|number|no|line)?[ _-]?[0-9]?)$"
)
"""Names of attribute columns that say by themselves who somebody is or where to find them."""


@dataclass(frozen=True)
class Protected:
    """The tables of a view as a workspace keeps them, and what makes a view of them again.

    Attributes:
        data: Protected tables. Never handed to a synthesizer: that gets a view.
        receipt: Arguments of :class:`PrivateView`, JSON-ready.
        ledger: What was done; in ``dp`` empty, because nothing was answered yet.
    """

    data: Dataset
    receipt: dict[str, Any]
    ledger: PrivacyLedger


def open_view(
    train: Dataset,
    settings: PrivacySettings,
    key: bytes,
    ledger: PrivacyLedger | None = None,
    purse: Purse | None = None,
) -> tuple[PrivateView, PrivacyLedger]:
    """Protect the training data and hand out the only view of them.

    Args:
        train: The training part of a split, nothing else.
        settings: The recipe's ``[privacy]`` block.
        key: As in :func:`protect`.
        ledger: What was done to this source before; ``None`` starts a list.
        purse: What mode ``dp`` pays its answers from.

    Returns:
        The view, and the list with one more entry (in ``dp``: as it was; its spends are in the
        ledger behind the purse).

    Raises:
        PrivacyError: As :func:`protect`, and if ``ledger`` was kept in another mode.
        SchemaError: If required cells are empty.
    """
    ledger = ledger or PrivacyLedger(settings.mode, settings.unit)
    if ledger.mode != settings.mode:
        raise PrivacyError(
            f"ledger of this source: expected mode {ledger.mode}, in which it was begun, got "
            f"{settings.mode}; keep the mode, or begin a new workspace"
        )
    made = protect(train, settings, key)
    for entry in made.ledger.entries:
        ledger = ledger.with_entry(entry)
    return PrivateView(made.data, purse=purse, **made.receipt), ledger


def protect(train: Dataset, settings: PrivacySettings, key: bytes) -> Protected:
    """Replace and bound what the privacy mode says, for a workspace to keep.

    Every mode bounds contributions: a user's most recent ``max_events_per_user`` events are kept.
    ``deidentify`` and ``dp`` also replace user, session and review ids (and attribute columns that
    end in ``_id``) by pseudonyms, drop attribute columns that identify directly, and replace
    contacts in free text by typed tags; ``deidentify`` makes users as alike in their attributes as
    ``[privacy.anonymity]`` asks; in ``dp`` user ids that are spelled alike count as one
    person. ``public`` and ``unsafe_nonprivate`` leave the rows as they are.

    Args:
        train: The training part of a split, or some users of it with all their rows.
        settings: The recipe's ``[privacy]`` block.
        key: From :func:`shopsynth.privacy.load_key`; the same key gives the same rows. Modes
            without pseudonyms (``public``, ``unsafe_nonprivate``) do not read it.

    Raises:
        PrivacyError: If mode ``dp`` lacks a budget, or the key is too short.
        SchemaError: If required cells are empty.
    """
    if settings.mode == "dp":
        check_budget(settings)
    if settings.mode in _PSEUDONYM_MODES:
        check_key(key, f"open_view in mode {settings.mode}")
    train.check_filled("open_view")
    secret = settings.mode in _PSEUDONYM_MODES
    fingerprint = keyed_fingerprint(train, key) if secret else source_fingerprint(train)
    people = _one_key_a_person(train) if settings.mode == "dp" else train
    protected = bound_contributions(people, settings.max_events_per_user)
    alike: dict[str, Any] = {}
    if settings.mode in _PSEUDONYM_MODES:
        protected = _deidentified(protected, settings, key)
    if settings.anonymity.on and protected.users is not None:  # Mode deidentify only.
        users, alike = protect_attributes(protected.users, settings.anonymity)
        protected = protected.with_tables(users=users)
    receipt = {
        "mode": settings.mode,
        "fingerprint": fingerprint,
        "max_events_per_user": settings.max_events_per_user,
        "users_bound": settings.users,
    }
    ledger = PrivacyLedger(settings.mode, settings.unit)
    if settings.mode != "dp":
        ledger = ledger.with_entry(_entry(settings, fingerprint, train, protected, alike))
    return Protected(protected, receipt, ledger)


def _one_key_a_person(data: Dataset) -> Dataset:
    tables = {
        name: frame.with_columns(one_key_a_person(frame["user_id"]).alias("user_id"))
        for name, frame in data.tables().items()
        if "user_id" in frame.columns
    }
    return data.with_tables(**tables)


def _deidentified(data: Dataset, settings: PrivacySettings, key: bytes) -> Dataset:
    tables = data.tables()
    items = data.items
    brands: set[str] = set(items["brand"].drop_nulls()) if "brand" in items.columns else set()
    texts = partial(
        replace_pii, how=settings.replacement, key=key, allow=brands, names=settings.names
    )
    protected = {
        name: _deidentified_table(name, tables[name], key, texts)
        for name in _PERSONAL_TABLES
        if name in tables
    }
    return data.with_tables(**protected)


def _deidentified_table(
    table: str, frame: pl.DataFrame, key: bytes, replaced: Callable[[pl.Series], pl.Series]
) -> pl.DataFrame:
    columns = []
    for column in frame.get_columns():
        name = column.name
        is_standard = name in TABLES[table].columns
        if not is_standard and pl.Series([name]).str.contains(_DIRECT_IDENTIFIER)[0]:
            continue
        if name.endswith("_id") and name not in PUBLIC_IDS:
            column = pseudonymise(column, name, key)
        elif column.dtype == pl.String and name not in PUBLIC_IDS | CODED_COLUMNS:
            column = replaced(column)
        columns.append(column)
    return pl.DataFrame(columns)


def _entry(
    settings: PrivacySettings,
    fingerprint: str,
    train: Dataset,
    protected: Dataset,
    alike: dict[str, Any],
) -> LedgerEntry:
    """Note what was done; no mode but ``dp`` gives a guarantee, so epsilon and delta are empty."""
    done = {
        "public": "declared public, rows unchanged",
        "unsafe_nonprivate": "raw rows, no protection",
        "deidentify": "no differential privacy, still personal data",
    }
    dropped = [
        f"{table}.{column}"
        for table, frame in train.tables().items()
        for column in frame.columns
        if column not in protected.tables()[table].columns
    ]
    return LedgerEntry(
        mechanism="pseudonymise" if settings.mode == "deidentify" else settings.mode,
        source_fingerprint=fingerprint,
        epsilon=None,
        delta=None,
        detail={
            "guarantee": done[settings.mode],
            "max_events_per_user": settings.max_events_per_user,
            "columns_dropped": dropped,
            **({"anonymity": alike} if alike else {}),
        },
    )
