"""Croissant: a description has all that the form asks for, and the store's own numbers."""

import datetime
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.store import croissant, writing

SAID = {"license": "mit", "creator": "A. Person", "url": "https://example.org/heat"}
OPTIONS = [word for name, value in SAID.items() for word in (f"--{name}", value)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three clips with labels of every type, one of them not known."""
    out = tmp_path / "heat" / "clips.zarr" / "zarr.json"
    coords = {
        "clip": (("clip",), np.array([3, 5, 8]), {}),
        "alpha": (("clip",), np.array([0.5, np.nan, 2.0]), {"units": "px^2/s <i>"}),
        "side": (("clip",), np.array(["left", "right", 'a"b']), {}),
        "stable": (("clip",), np.array([True, False, True]), {}),
    }
    with writing.create(
        out,
        variables={"video": writing.Variable(("clip", "time"), (3, 4), "uint8")},
        coords=coords,
        attrs={"schema": "physprobe/clips/1", "spec": {"kind": "fields"}},
        fingerprint={},
        block=3,
    ) as written:
        written.fill(lambda block: {"video": np.ones((3, 4), "u1")})
    return out.parent


def test_a_store_is_described_as_the_form_asks_for(store: Path):
    assert door.main(["croissant", "--store", str(store), *OPTIONS]) == 0
    found = json.loads((store.parent / "clips.croissant.json").read_text())
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert found["@type"] == "sc:Dataset" and found["name"] == "heat/clips"
    assert {key: found[key] for key in ("license", "url")} == {
        key: SAID[key] for key in ("license", "url")
    }
    datetime.date.fromisoformat(found["datePublished"])
    told = {field["name"]: field["description"] for field in found["recordSet"][0]["field"]}
    assert told["clips/alpha"] == "alpha (clip) float64 [px^2/s <i>]"
    for part in found["distribution"]:
        assert {"@id", "name", "encodingFormat"} <= part.keys()
        if part["@type"] == "cr:FileObject":
            content = (store.parent / part["contentUrl"]).read_bytes()
            assert part["sha256"] == hashlib.sha256(content).hexdigest()
        else:
            assert list(store.parent.glob(part["includes"]))
    listed = json.loads((store / "manifest.json").read_text())["files"]
    parts = [part["includes"] for part in found["distribution"] if "includes" in part]
    assert {f"clips.zarr/{file.split('/')[0]}/**" for file in listed if "/" in file} == set(parts)


def test_clips_are_records_with_their_labels(store: Path):
    (clips,) = croissant.described(store, **SAID)["recordSet"]
    types = {field["name"]: field["dataType"] for field in clips["field"]}
    assert types == {
        "clips/clip": "sc:Integer", "clips/alpha": "sc:Float",
        "clips/side": "sc:Text", "clips/stable": "sc:Boolean",
    }  # fmt: skip
    assert [record["clips/clip"] for record in clips["data"]] == [3, 5, 8]
    assert [record["clips/alpha"] for record in clips["data"]] == [0.5, None, 2.0]
    assert clips["data"][2]["clips/side"] == 'a"b'


def test_a_reader_of_the_form_finds_nothing_wrong(store: Path):
    reader = pytest.importorskip("mlcroissant", reason="pip install 'physprobe[oracles]'")
    out = store.parent / "described.json"
    croissant.run(store=store, out=out, **SAID)
    found = reader.Dataset(jsonld=str(out))
    assert not found.metadata.ctx.issues.errors
    assert [record["clips/clip"] for record in found.records(record_set="clips")] == [3, 5, 8]


def test_what_is_not_said_or_is_no_store_is_refused(store: Path, caplog: pytest.LogCaptureFixture):
    empty = ["croissant", "--store", str(store), *OPTIONS[:-1], " "]
    assert door.main(empty) == door.REFUSED
    assert door.main(["croissant", "--store", str(store.parent), *OPTIONS]) == door.REFUSED
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "--url: found nothing" in lines[0] and "zarr" in lines[1]
