"""Files, databases and the embedded shop to a Dataset."""

from shopsynth.ingest.base import READERS, RawRows, Reader, SourcePart
from shopsynth.ingest.reading import (
    items_from_events,
    list_parts,
    part_fingerprint,
    read_part,
    read_shop,
)
from shopsynth.ingest.settings import ShopSettings, TableSource

__all__ = [
    "READERS",
    "RawRows",
    "Reader",
    "ShopSettings",
    "SourcePart",
    "TableSource",
    "items_from_events",
    "list_parts",
    "part_fingerprint",
    "read_part",
    "read_shop",
]
