"""Files, databases and the embedded shop to a Dataset."""

from shopsynth.ingest._files import reader_of
from shopsynth.ingest._literal import PERSONAL_TABLES, readers_by_name, undeclared
from shopsynth.ingest._parts import list_parts
from shopsynth.ingest._text_lines import text_lines
from shopsynth.ingest.base import READERS, RawRows, Reader, SourcePart
from shopsynth.ingest.inference import Inference, infer_shop
from shopsynth.ingest.reading import (
    items_named_by,
    part_fingerprint,
    read_part,
    read_shop,
)
from shopsynth.ingest.settings import JoinedTable, ShopSettings, TableSource

__all__ = [
    "PERSONAL_TABLES",
    "READERS",
    "Inference",
    "JoinedTable",
    "RawRows",
    "Reader",
    "ShopSettings",
    "SourcePart",
    "TableSource",
    "infer_shop",
    "items_named_by",
    "list_parts",
    "part_fingerprint",
    "read_part",
    "read_shop",
    "reader_of",
    "readers_by_name",
    "text_lines",
    "undeclared",
]
