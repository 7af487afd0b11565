"""Open a view: from the training part of a split to what a synthesizer may see of it.

In: real tables, the recipe's ``[privacy]`` block, the pseudonym key and the ledger so far. Out: a
:class:`PrivateView` and the ledger with what was done.
"""

import polars as pl

from shopsynth.privacy.fingerprint import source_fingerprint
from shopsynth.privacy.key import check_key
from shopsynth.privacy.pii import replace_contacts
from shopsynth.privacy.pseudonyms import pseudonymise
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.view import PrivateView
from shopsynth.schema import (
    TABLES,
    Dataset,
    LedgerEntry,
    PrivacyError,
    PrivacyLedger,
    collect,
)

_PERSONAL_TABLES = ("users", "events", "queries", "reviews")
"""Tables whose rows people made; the catalogue, its images and relations are public."""

_PSEUDONYM_MODES = ("deidentify", "dp")

_PUBLIC_IDS = frozenset({"item_id", "query_id"})
"""Ids that stay: they name products and query texts, not people."""

_CODED_COLUMNS = frozenset({"event_type", "locale", "label"})
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


def open_view(
    train: Dataset,
    settings: PrivacySettings,
    key: bytes,
    ledger: PrivacyLedger | None = None,
) -> tuple[PrivateView, PrivacyLedger]:
    """Protect the training data and hand out the only view of them.

    Every mode bounds contributions: a user's most recent ``max_events_per_user`` events are kept.
    ``deidentify`` and ``dp`` also replace user, session and review ids (and attribute columns that
    end in ``_id``) by pseudonyms, drop attribute columns that identify directly, and replace
    contacts in free text by typed tags. In ``dp`` the view then gives no rows at all, and nothing
    is spent until a mechanism asks. ``public`` and ``unsafe_nonprivate`` leave the rows as they
    are.

    Args:
        train: The training part of a split, nothing else.
        settings: The recipe's ``[privacy]`` block.
        key: From :func:`shopsynth.privacy.load_key`; the same key gives the same view. Modes
            without pseudonyms (``public``, ``unsafe_nonprivate``) do not read it.
        ledger: What was spent on this source before; ``None`` starts a ledger.

    Returns:
        The view, and the ledger with one more entry (in ``dp``: as it was).

    Raises:
        PrivacyError: If mode ``dp`` lacks a budget, the key is too short, or the ledger was kept
            in another mode.
        SchemaError: If required cells are empty.
    """
    _check_budget(settings)
    if settings.mode in _PSEUDONYM_MODES:
        check_key(key, f"open_view in mode {settings.mode}")
    ledger = ledger or PrivacyLedger(settings.mode, settings.unit)
    if ledger.mode != settings.mode:
        raise PrivacyError(
            f"ledger of this source: expected mode {ledger.mode}, in which it was begun, got "
            f"{settings.mode}; keep the mode, or begin a new workspace"
        )
    train.check_filled("open_view")
    fingerprint = source_fingerprint(train)
    protected = _bounded(train, settings.max_events_per_user)
    if settings.mode in _PSEUDONYM_MODES:
        protected = _deidentified(protected, key)
    view = PrivateView(
        protected,
        mode=settings.mode,
        fingerprint=fingerprint,
        max_events_per_user=settings.max_events_per_user,
    )
    if settings.mode == "dp":
        return view, ledger
    return view, ledger.with_entry(_entry(settings, fingerprint, train, protected))


def _check_budget(settings: PrivacySettings) -> None:
    if settings.mode != "dp":
        return
    missing = [name for name in ("epsilon", "delta") if getattr(settings, name) is None]
    faults = [f"mode dp needs {name}, got none; set it in the recipe" for name in missing]
    collect("[privacy]", faults, PrivacyError)


def _bounded(data: Dataset, max_events_per_user: int) -> Dataset:
    if data.events is None:
        return data
    events = data.ordered_events()
    newest_first = pl.int_range(pl.len(), 0, -1).over("user_id")
    return data.with_tables(events=events.filter(newest_first <= max_events_per_user))


def _deidentified(data: Dataset, key: bytes) -> Dataset:
    tables = data.tables()
    protected = {
        name: _deidentified_table(name, tables[name], key)
        for name in _PERSONAL_TABLES
        if name in tables
    }
    return data.with_tables(**protected)


def _deidentified_table(table: str, frame: pl.DataFrame, key: bytes) -> pl.DataFrame:
    columns = []
    for column in frame.get_columns():
        name = column.name
        is_standard = name in TABLES[table].columns
        if not is_standard and pl.Series([name]).str.contains(_DIRECT_IDENTIFIER)[0]:
            continue
        if name.endswith("_id") and name not in _PUBLIC_IDS:
            column = pseudonymise(column, name, key)
        elif column.dtype == pl.String and name not in _PUBLIC_IDS | _CODED_COLUMNS:
            column = replace_contacts(column)
        columns.append(column)
    return pl.DataFrame(columns)


def _entry(
    settings: PrivacySettings, fingerprint: str, train: Dataset, protected: Dataset
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
        },
    )
