"""The data card of an export: Croissant metadata that machines and data-set hubs read.

In: the files of an export, the columns of its tables, and the facts of the release. Out: JSON-LD.

Source: Croissant format, version 1.0, and its responsible-AI vocabulary, version 1.0 (MLCommons,
http://mlcommons.org/croissant/1.0 and http://mlcommons.org/croissant/RAI/1.0); how rows were made
is told in W3C PROV.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shopsynth.report.guarantee import guarantee
from shopsynth.report.summary_parts import SummaryPrivacy

NO_LICENCE = (
    "No licence is granted by this card. Whoever controls the data decides who may use them; where "
    "the privacy mode gives no guarantee they are personal data."
)

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that Croissant 1.0 prescribes, and PROV."""

_PERSONAL = {
    "public": "the input was declared to hold no personal data",
    "deidentify": "still personal data",
    "dp": "what they can tell of one person is bounded by the guarantee",
    "unsafe_nonprivate": "treat every row as personal data",
}

_FORMATS = {
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonl",
    ".inter": "text/tab-separated-values",
    ".item": "text/tab-separated-values",
    ".md": "text/markdown",
    ".sqlite": "application/vnd.sqlite3",
    ".json": "application/json",
}


@dataclass(frozen=True)
class CardFile:
    """One file of an export.

    Attributes:
        name: Path inside the folder, with slashes.
        sha256: Of its bytes.
        size_bytes: Its size.
        columns: Its columns as a reader finds them; empty for a file that is no table.
        table: Which of the shop's tables it holds; empty likewise.
        rows: Rows of that table.
    """

    name: str
    sha256: str
    size_bytes: int
    columns: Mapping[str, pl.DataType]
    table: str = ""
    rows: int = 0


def data_card(
    privacy: SummaryPrivacy,
    files: Sequence[CardFile],
    made: Sequence[Mapping[str, Any]],
    *,
    created: str,
    version: str,
) -> dict[str, Any]:
    """Describe an export for machines.

    Args:
        privacy: Of the release, with its name; audits are not told.
        files: Every file of the export but this card.
        made: One a generator: ``synthesizer``, ``seed``, ``rows``, ``config_sha256``.
        created: When the rows were made, ISO 8601.
        version: Of shopsynth.

    Returns:
        JSON-LD; keys in the order of the specification.
    """
    told = guarantee(privacy)
    methods = ", ".join(dict.fromkeys(str(each["synthesizer"]) for each in made))
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": f"shopsynth-{privacy.release}",
        "description": f"Synthetic shop data made by {methods}. {told.english}",
        "license": NO_LICENCE,
        "url": f"urn:shopsynth:release:{privacy.release}",
        "creator": {"@type": "sc:Organization", "name": "the controller of the source data"},
        "datePublished": created,
        "version": "1.0.0",
        "keywords": ["synthetic", "e-commerce", f"privacy mode {privacy.mode}"],
        "isLiveDataset": False,
        "distribution": [_file_object(file) for file in files],
        "recordSet": [_record_set(file) for file in files if file.columns],
        "prov:wasGeneratedBy": [_activity(each, version) for each in made],
        **_responsible(privacy, told.english, told.unprotected_en, methods),
    }


def _file_object(file: CardFile) -> dict[str, Any]:
    suffix = f".{file.name.rpartition('.')[2]}"
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size_bytes} B",
        "encodingFormat": _FORMATS[suffix],
        "sha256": file.sha256,
    }


def _record_set(file: CardFile) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": file.table,
        "name": file.table,
        "description": f"{file.rows} rows: "
        + ("the public catalogue they refer to" if file.table == "items" else "synthetic"),
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{file.table}/{name}",
                "name": name,
                "dataType": _data_type(dtype),
                "source": {"fileObject": {"@id": file.name}, "extract": {"column": name}},
            }
            for name, dtype in file.columns.items()
        ],
    }


def _data_type(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "sc:Integer"
    if dtype.is_numeric():
        return "sc:Float"
    if dtype == pl.Boolean:
        return "sc:Boolean"
    return "sc:DateTime" if dtype.is_temporal() else "sc:Text"


def _activity(made: Mapping[str, Any], version: str) -> dict[str, Any]:
    return {
        "@type": "prov:Activity",
        "name": str(made["synthesizer"]),
        "description": f"shopsynth {version}, seed {made['seed']}, options of hash "
        f"{made['config_sha256']}, {made['rows']} rows",
    }


def _responsible(
    privacy: SummaryPrivacy, promise: str, unprotected: Sequence[str], methods: str
) -> dict[str, Any]:
    """Fill the responsible-AI vocabulary: what the rows are, and are not, good for."""
    paid = [
        f"{charge.actor}: {charge.mechanism} ({charge.kind}, noise multiplier "
        f"{charge.noise_multiplier:.4g}, {charge.count} times)"
        for charge in privacy.mechanisms
    ]
    return {
        "rai:dataCollection": f"No row was collected from a person: {methods} made them from the "
        f"shop's records, under privacy mode {privacy.mode}.",
        "rai:dataCollectionType": ["Others: synthetic, made by software"],
        "rai:dataPreprocessingProtocol": [promise, *paid],
        "rai:personalSensitiveInformation": [f"Shopping histories; {_PERSONAL[privacy.mode]}."],
        "rai:dataLimitations": [
            "Not protected: " + " ".join(unprotected),
            "Synthetic rows repeat habits, not facts about a person; whether they help a model has "
            "to be measured on real held-out data.",
        ],
        "rai:dataUseCases": ["Training, beside real data"],
    }
