"""The types that flow between rooms, their tables, all errors. Imports no other room."""

from shopsynth.schema.dataset import Dataset, order_column
from shopsynth.schema.errors import (
    EmptyDataError,
    EndpointError,
    GateError,
    InputError,
    InterruptedRunError,
    MissingExtraError,
    PrivacyError,
    RecipeError,
    SchemaError,
    ShopsynthError,
    SourceError,
    UnknownNameError,
    WorkspaceError,
    collect,
    nearest,
)
from shopsynth.schema.evaluation import (
    EVALUATION_COLUMNS,
    FUSED,
    TRAINED_ALONE,
    Evaluation,
    empty_evaluation_table,
)
from shopsynth.schema.fingerprint import derived_seed, sha256_of, sha256_of_file, stable_bucket
from shopsynth.schema.further import FURTHER, MAIN_FURTHER, FurtherTable
from shopsynth.schema.holdout import SLICE_COLUMNS, TRUTH_COLUMNS, Holdout, Split
from shopsynth.schema.ledger import LedgerEntry, PrivacyLedger
from shopsynth.schema.progress import SILENT, Progress, SilentProgress
from shopsynth.schema.ranking import RANKING_COLUMNS, Ranking
from shopsynth.schema.registry import Registry
from shopsynth.schema.rejects import REJECT_COLUMNS, Cleaned, make_rejects, no_rejects
from shopsynth.schema.settings import Settings
from shopsynth.schema.synthetic import COMPANIONS, OWNERS, REAL, SyntheticDataset, TrainingSet
from shopsynth.schema.tables import (
    TABLES,
    TIMESTAMP,
    TableSpec,
    empty_cell_faults,
    empty_table,
    filled_columns,
    in_standard_order,
    table_faults,
)

__all__ = [
    "COMPANIONS",
    "EVALUATION_COLUMNS",
    "FURTHER",
    "FUSED",
    "MAIN_FURTHER",
    "OWNERS",
    "RANKING_COLUMNS",
    "REAL",
    "REJECT_COLUMNS",
    "SILENT",
    "SLICE_COLUMNS",
    "TABLES",
    "TIMESTAMP",
    "TRAINED_ALONE",
    "TRUTH_COLUMNS",
    "Cleaned",
    "Dataset",
    "EmptyDataError",
    "EndpointError",
    "Evaluation",
    "FurtherTable",
    "GateError",
    "Holdout",
    "InputError",
    "InterruptedRunError",
    "LedgerEntry",
    "MissingExtraError",
    "PrivacyError",
    "PrivacyLedger",
    "Progress",
    "Ranking",
    "RecipeError",
    "Registry",
    "SchemaError",
    "Settings",
    "ShopsynthError",
    "SilentProgress",
    "SourceError",
    "Split",
    "SyntheticDataset",
    "TableSpec",
    "TrainingSet",
    "UnknownNameError",
    "WorkspaceError",
    "collect",
    "derived_seed",
    "empty_cell_faults",
    "empty_evaluation_table",
    "empty_table",
    "filled_columns",
    "in_standard_order",
    "make_rejects",
    "nearest",
    "no_rejects",
    "order_column",
    "sha256_of",
    "sha256_of_file",
    "stable_bucket",
    "table_faults",
]
