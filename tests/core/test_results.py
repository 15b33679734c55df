"""Results: complete rows, plain numbers, whole files."""

import json
from pathlib import Path

import numpy as np
import pytest

from physprobe.core import results


def test_a_row_has_every_column_and_no_other():
    row = results.row(
        metric="r2", value=np.float64(0.5), n_clips=np.int64(3), edge_hit=np.bool_(True)
    )
    assert tuple(row) == results.COLUMNS
    assert row["value"] == 0.5 and row["edge_hit"] is True and row["layer"] is None
    with pytest.raises(ValueError, match="no column valeu"):
        results.row(metric="r2", valeu=1)


def test_an_undefined_score_is_null_with_a_note():
    assert results.row(value=np.nan, note="constant target")["value"] is None
    with pytest.raises(ValueError, match="note"):
        results.row(value=np.nan)


def test_a_file_is_json_that_any_reader_takes(tmp_path: Path):
    out = tmp_path / "a" / "b.json"
    results.write(
        out,
        schema="probe",
        spec={"kind": "ridge"},
        rows=[{"metric": "r2", "value": 1 / 3}],
        provenance={"code": "x"},
        predictions={"alpha": np.array([1.0, np.nan])},
    )
    content = json.loads(out.read_text())
    assert content["schema"] == "physprobe/probe/1"
    assert content["rows"][0]["value"] == 0.333333333
    assert content["predictions"]["alpha"] == [1.0, None]
    assert [file.name for file in out.parent.iterdir()] == ["b.json"]
