"""Both tables of a grid, described in Croissant, the format of MLCommons for data sets: JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.common import VERSION
from harness.records import schema
from harness.records.export.asked import Asked, not_run
from harness.records.schema import Column

NAME = "croissant.json"
LICENCE = "https://spdx.org/licenses/MIT.html"
"""Of this project, see LICENSE; the reference records are part of it."""
CITE = (
    "@software{harness, title = {harness: how much tuning does a meta-learner need?}, "
    f"author = {{{{The harness authors}}}}, version = {{{VERSION}}}}}"
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
"""The names of Croissant 1.0, as its specification has them."""
_MEANINGS = {
    "trials": "One row per cell: a run of a method with its hyper-parameters, a protocol and a seed.",
    "trajectories": "One row per cell and iteration of the outer loop.",
}


def write(asked: Asked, folder: Path) -> list[str]:
    """croissant.json and both tables: see records.export.Format."""
    files, sets = [], []
    for file, frame, columns in asked.described():
        _write_table(frame, columns, asked.tables.about, folder / file)
        files.append(_file(folder / file))
        sets.append(_record_set(file, columns))
    finished = asked.tables.trials["finished"].dropna()
    grid = asked.tables.about["grid"]
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": asked.name,
        "description": f"{grid['title']}. Runs of meta-learners over a grid of their hyper-parameters, with "
        f"every recorded iteration: {asked.source}.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": LICENCE,
        "citeAs": CITE,
        "creator": {"@type": "Organization", "name": "The harness authors"},
        "version": VERSION,
        "keywords": ["meta-learning", "hyper-parameter optimisation", "learning curves"],
        **({"datePublished": str(max(finished))[:10]} if len(finished) else {}),
        "distribution": files,
        "recordSet": sets,
    }
    (folder / NAME).write_text(json.dumps(described, indent=1) + "\n", "utf-8")
    return [
        *not_run(asked.tables.trials),
        f"licence: this project's, {LICENCE}; for records of your own, write yours into {NAME}",
    ]


def _write_table(frame: pd.DataFrame, columns: dict[str, Column], about: Any, path: Path) -> None:
    table = pa.Table.from_pandas(frame, schema.arrow(columns), preserve_index=False)
    text = json.dumps(about).encode()
    pq.write_table(table.replace_schema_metadata({b"harness": text}), path, compression="zstd")


def _file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "application/x-parquet",
        "sha256": sha256(content).hexdigest(),
    }


def _record_set(file: str, columns: Mapping[str, Column]) -> dict[str, Any]:
    name = Path(file).stem
    key = ["cell_id"] if name == "trials" else ["cell_id", "iteration"]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": _MEANINGS[name],
        "key": [{"@id": f"{name}/{one}"} for one in key],
        "field": [_field(name, file, *item) for item in columns.items()],
    }


def _field(of: str, file: str, name: str, column: Column) -> dict[str, Any]:
    unit = f" (unit: {column.unit})" if column.unit else ""
    link = {"references": {"field": {"@id": "trials/cell_id"}}}
    return {
        "@type": "cr:Field",
        "@id": f"{of}/{name}",
        "name": name,
        "description": f"{column.meaning}{unit}",
        "dataType": _data_type(column.type),
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
        **(link if (of, name) == ("trajectories", "cell_id") else {}),
    }


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
