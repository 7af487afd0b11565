"""PrivacyLedger: every privacy spend, in user units, kept across refreshes.

In: entries made by the privacy room. Out: the list, and what it adds up to.
"""

from dataclasses import asdict, dataclass
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
    """

    mechanism: str
    source_fingerprint: str
    epsilon: float | None
    delta: float | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class PrivacyLedger:
    """Every spend so far.

    Attributes:
        mode: ``public``, ``deidentify``, ``dp`` or ``unsafe_nonprivate``.
        unit: Whose contribution is protected: ``user``.
        entries: The spends, oldest first.
    """

    mode: str
    unit: str
    entries: tuple[LedgerEntry, ...] = ()

    def with_entry(self, entry: LedgerEntry) -> Self:
        """Return a ledger with one more spend."""
        return type(self)(self.mode, self.unit, (*self.entries, entry))

    def to_json(self) -> dict[str, Any]:
        """Return the ledger as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a ledger from :meth:`to_json`."""
        entries = tuple(LedgerEntry(**entry) for entry in values["entries"])
        return cls(values["mode"], values["unit"], entries)
