"""PrivacyLedger: every privacy spend, in user units, kept across refreshes.

In: entries made by the privacy room. Out: the list, and what it adds up to.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True)
class LedgerEntry:
    """One spend.

    Attributes:
        mechanism: What touched the data, for example ``"pseudonymise"``.
        source_fingerprint: SHA-256 of the source rows it touched.
        epsilon: Privacy loss, or ``None`` where the mechanism gives no differential privacy.
        delta: Failure probability, or ``None`` likewise.
        detail: Public parameters, never cell values.
        mu: The same loss as mu of Gaussian differential privacy, or ``None`` likewise.
        status: ``reserved`` or ``committed``, which both count as spent; empty where nothing is.
        charges: What each mechanism of the plan costs, or empty likewise.
    """

    mechanism: str
    source_fingerprint: str
    epsilon: float | None
    delta: float | None
    detail: dict[str, Any]
    mu: float | None = None
    status: str = ""
    charges: tuple[dict[str, Any], ...] = ()

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild an entry from its JSON values."""
        return cls(**{**values, "charges": tuple(values.get("charges", ()))})


@dataclass(frozen=True)
class PrivacyLedger:
    """Every spend so far.

    Attributes:
        mode: ``public``, ``deidentify``, ``dp`` or ``unsafe_nonprivate``.
        unit: Whose contribution is protected: ``user``.
        entries: The spends, oldest first.
        epsilon: Joint loss of all entries, or ``None`` where nothing is measured.
        delta: Failure probability that ``epsilon`` and ``mu`` are told at, or ``None`` likewise.
        mu: The same joint loss as mu of Gaussian differential privacy, or ``None`` likewise.
        budget: What the source may spend in its whole life: ``strict``, ``standard``, ``relaxed``,
            or ``weak``, which has no bound; empty where nothing is measured.
        left: The mu that one more Gaussian mechanism may have, or ``None`` without a bound.
    """

    mode: str
    unit: str
    entries: tuple[LedgerEntry, ...] = ()
    epsilon: float | None = None
    delta: float | None = None
    mu: float | None = None
    budget: str = ""
    left: float | None = None

    def with_entry(self, entry: LedgerEntry) -> Self:
        """Return a ledger with one more spend that costs nothing of a budget."""
        return replace(self, entries=(*self.entries, entry))

    def to_json(self) -> dict[str, Any]:
        """Return the ledger as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a ledger from :meth:`to_json`."""
        entries = tuple(LedgerEntry.from_json(entry) for entry in values["entries"])
        return cls(**{**values, "entries": entries})
