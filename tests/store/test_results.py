"""Results: complete rows, plain numbers, whole files that are what was written."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from physprobe.store import job, log, results
from physprobe.store.results import Schema

PROBE = Schema("probe", ("target", "layer"))


def test_a_row_has_every_column_and_no_other():
    row = PROBE.row(
        metric="r2", value=np.float64(0.5), n_clips=np.int64(3), edge_hit=np.bool_(True)
    )
    assert tuple(row) == PROBE.columns
    assert row["value"] == 0.5 and row["edge_hit"] is True and row["layer"] is None
    with pytest.raises(ValueError, match="no column valeu"):
        PROBE.row(metric="r2", valeu=1)


def test_a_dimension_means_one_thing_and_is_explained():
    """Every schema declares its own; the README explains each in the table's words."""
    with pytest.raises(ValueError, match="no dimension colour"):
        Schema("probe", ("target", "colour"))
    assert set(results.EVERYWHERE) < set(PROBE.columns)
    text = (Path(__file__).parents[2] / "results" / "README.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", text.split("| dimension | meaning |")[1], re.M)
    assert dict(told[: len(results.DIMENSIONS)]) == results.DIMENSIONS


def test_every_row_says_what_it_is_of(tmp_path: Path):
    out, of = tmp_path / "a.json", {"system": "heat", "encoder": "small"}
    rows = [{"metric": "r2", "value": 1}, {"metric": "r2", "value": 0, "system": "wave"}]
    results.write(out, schema=PROBE, of=of, spec={}, rows=rows, provenance={})
    found = results.read(out, "probe")
    assert (found["system"], found["encoder"]) == ("heat", "small")
    assert [(row["system"], row["encoder"]) for row in found["rows"]] == [
        ("heat", "small"),
        ("wave", "small"),
    ]


def test_an_undefined_score_is_null_with_a_note():
    assert PROBE.row(value=np.nan, note="constant target")["value"] is None
    with pytest.raises(ValueError, match="note"):
        PROBE.row(value=np.nan)


def test_a_file_is_json_that_any_reader_takes(tmp_path: Path):
    out = tmp_path / "a" / "b.json"
    results.write(
        out,
        schema=PROBE,
        spec={"kind": "ridge"},
        rows=[{"metric": "r2", "value": 1 / 3}],
        provenance={"code": "x"},
        predictions={"alpha": np.array([1.0, np.nan])},
    )
    content = json.loads(out.read_text())
    assert content["schema"] == "physprobe/probe/2"
    assert content["rows"][0]["value"] == 0.333333333
    assert content["predictions"]["alpha"] == [1.0, None]
    assert [file.name for file in out.parent.iterdir()] == ["b.json"]


def written(out: Path, schema: str = "probe", **provenance: object) -> Path:
    """Write a small result."""
    results.write(
        out,
        schema=Schema(schema),
        spec={"kind": "ridge", "seed": 7},
        rows=[{"metric": "r2", "value": 0.955, "n_clips": 40}],
        provenance={"code": "c0de", "inputs": {"embeddings": "12"}, **provenance},
        predictions={"alpha": [0.25, None]},
    )
    return out


def test_what_was_written_is_read(tmp_path: Path):
    out = written(tmp_path / "a.json")
    found = results.read(out, "probe")
    assert found["rows"][0]["value"] == 0.955 and found["predictions"]["alpha"] == [0.25, None]
    out.write_text(json.dumps(json.loads(out.read_text())))  # the same in another layout
    assert results.read(out) == found


@pytest.mark.parametrize("number", range(8))
def test_one_digit_changed_is_an_error_that_names_the_file(tmp_path: Path, number: int):
    """Fault 15: in the spec, the rows, the blocks, the provenance or a digest itself."""
    out = written(tmp_path / "results/heat/fits/small.ridge.json")
    text = out.read_text()
    values = [found for found in re.finditer(r"[:\[] *\"?[\w.]*?(\d)", text)]
    assert len(values) == 8
    place = values[number].start(1)
    out.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])
    with pytest.raises(ValueError, match=r"small\.ridge\.json: ") as caught:
        results.read(out, "probe")
    assert "\n" not in str(caught.value)
    assert "Hint: " in str(caught.value)


def test_a_result_that_lacks_its_digest_is_refused(tmp_path: Path):
    """Fault 15: also where somebody takes the digest out."""
    out = written(tmp_path / "a.json")
    content = json.loads(out.read_text())
    for lacking in ({"digest": None}, {"provenance": {}}, {"provenance": None}):
        out.write_text(json.dumps(content | lacking))
        with pytest.raises(ValueError, match="not what was written"):
            results.read(out)


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"schema": "physprobe/probe/2"'])
def test_a_cut_or_foreign_file_is_one_line(tmp_path: Path, content: str):
    out = tmp_path / "a.json"
    out.write_text(content)
    with pytest.raises(ValueError, match=r"a\.json: .*Hint: ") as caught:
        results.read(out)
    assert "\n" not in str(caught.value)


def test_another_kind_of_result_is_refused(tmp_path: Path):
    out = written(tmp_path / "a.json", schema="koopman")
    with pytest.raises(ValueError, match="is physprobe/koopman/2, expected physprobe/probe/2"):
        results.read(out, "probe")


def test_results_are_named_once_and_missing_ones_said(tmp_path: Path):
    one = written(tmp_path / "heat" / "fits" / "small.ridge.json")
    two = written(tmp_path / "heat" / "fits" / "pixels.ridge.json")
    assert set(results.by_name([one, two], "probe")) == {"small", "pixels"}
    other = written(tmp_path / "elsewhere" / "heat" / "fits" / "small.ridge.json")
    with pytest.raises(ValueError, match="a second result of"):
        results.by_name([one, other])
    with pytest.raises(ValueError, match="no result of 'pixels' was given, but of: small"):
        results.by_name([one])["pixels"]
    with pytest.raises(ValueError, match="no result was given"):
        results.first(results.by_name([]))


def test_two_runs_write_the_same_bytes_and_name_the_same_inputs(tmp_path: Path, monkeypatch):
    """Fault 19: nothing in a result says when or how long."""
    for number, elapsed in enumerate((1.0, 1e6)):
        monkeypatch.setattr(log, "STARTED", elapsed)
        with job.running("c0de"):
            origin = job.provenance({"embeddings": "12"}, device="cpu")
        folder = tmp_path / str(number) / "heat" / "fits"
        written(folder / "a.json", **origin)
    one, two = (tmp_path / str(number) / "heat" / "fits" / "a.json" for number in range(2))
    assert one.read_bytes() == two.read_bytes()


def test_the_digest_of_an_input_is_that_of_its_content(tmp_path: Path):
    """Fault 19: the same rows from elsewhere are the same input, other rows are another."""
    one = written(tmp_path / "1" / "heat" / "fits" / "a.json", host="here")
    two = written(tmp_path / "2" / "heat" / "fits" / "a.json", host="there")
    assert one.read_bytes() != two.read_bytes()
    assert results.digests([one]) == results.digests([two])
    assert list(results.digests([one])) == ["heat/fits/a.json"]


def test_verdicts_that_ship_are_what_was_written():
    """Fault 15, of results that come with the package."""
    shipped = list((Path(results.__file__).parents[1] / "encoders").rglob("verdicts.json"))
    assert len(shipped) >= 3
    assert all(results.read(path, "verdicts")["rows"] for path in shipped)
