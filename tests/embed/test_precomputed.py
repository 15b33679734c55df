"""Features that were made elsewhere are joined by the ids of clips; faults name ids and numbers."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from pydantic import ValidationError

from physprobe.config import config_files, model
from physprobe.embed import precomputed, stage
from physprobe.store import writing, zarrs

ROOT = Path(__file__).parents[2]
IDS = np.array([7, 3, 11, 4, 9])
ENTRY = {"kind": "precomputed", "system": "heat", "tubelet": 2}
LAYERS, FRAMES, TIMES, WIDTH = 3, 8, 4, 6


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    """(clip, layer, time, feature)"""
    return rng.standard_normal((len(IDS), LAYERS, TIMES, WIDTH)).astype("float32")


def table(path: Path, values: np.ndarray, ids: np.ndarray, *, lists: bool = False) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    rows = []
    for clip, layer, time in np.ndindex(values.shape[:3]):
        found = values[clip, layer, time].tolist()
        features = {"features": found} if lists else {f"f{n}": x for n, x in enumerate(found)}
        rows.append({"clip": ids[clip], "layer": f"block {layer}", "time": time / 2, **features})
    shuffled = np.random.default_rng(0).permutation(np.arange(len(rows)))
    order = sorted(shuffled, key=lambda n: rows[n]["layer"])  # layers as they come
    pd.DataFrame([rows[n] for n in order]).to_parquet(path)


def group(path: Path, values: np.ndarray, ids: np.ndarray, dims: tuple[str, ...] = ()) -> None:
    root = zarr.open_group(path, mode="w")
    root.create_array("clip", data=ids, dimension_names=("clip",))
    root.create_array("pooled", data=values, chunks=(1, *values.shape[1:]), dimension_names=dims)


def saved(folder: Path, ending: str, values: np.ndarray, ids: np.ndarray = IDS) -> dict:
    """Fields of an entry whose files hold the features."""
    file = folder / f"features{ending}"
    match ending:
        case ".npy":
            np.save(file, values)
            (folder / "ids.txt").write_text("".join(f"{each}\n" for each in ids))
            return {"file": str(file), "ids": str(folder / "ids.txt")}
        case ".npz":
            np.savez(file, features=values, clip=ids, more=np.zeros(3))
        case ".zarr":
            group(file, values, ids, ("clip", "layer", "time", "feature"))
        case ".parquet":
            table(file, values, ids)
    return {"file": str(file)}


def load(clips: np.ndarray = IDS, **fields: object) -> precomputed.Precomputed:
    spec = precomputed.Spec.parse(json.dumps({**ENTRY, **fields}))
    return precomputed.load(
        spec, frames=FRAMES, height=4, width=4, threads=1, clips=clips, digest="abc"
    )


@pytest.mark.parametrize("ending", [".npy", ".npz", ".zarr", ".parquet"])
def test_features_follow_ids_whatever_their_order(ending: str, tmp_path: Path, values: np.ndarray):
    fields = saved(tmp_path, ending, values)
    order = np.array([4, 0, 2, 1, 3])
    encoder = load(IDS[order], **fields)
    assert encoder.layers == ("0", "1", "final") and encoder.features == WIDTH
    found = encoder.encode(None, np.arange(1, 4)).pooled
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values[order[1:4]])


def test_one_layer_needs_no_dimension_and_one_of_parquet_can_be_lists(
    tmp_path: Path, values: np.ndarray
):
    fields = saved(tmp_path, ".npz", values[:, 1])
    encoder = load(**fields)
    assert encoder.layers == ("final",)
    np.testing.assert_array_equal(encoder.encode(None, np.arange(5)).pooled[:, 0], values[:, 1])
    table(tmp_path / "lists.parquet", values, IDS, lists=True)
    found = load(file=str(tmp_path / "lists.parquet")).encode(None, np.arange(5)).pooled
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".zarr", ".parquet"])
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([7, 3, 4, 9, 99], r"no features of 11 \(1 in all\); features of no clip here: 99"),
        ([7, 3, 11], r"3 ids for 5 clips: no features of 4, 9 \(2 in all\)"),
        ([7, 3, 11, 3, 9], r"more than once 3 \(1 in all\)|2 rows of clip 3, layer block 0, time"),
    ],
)
def test_ids_that_do_not_fit_are_named(
    ending: str, ids: list[int], message: str, tmp_path: Path, values: np.ndarray
):
    ids = np.array(ids)
    fields = saved(tmp_path, ending, values[: len(ids)], ids)
    with pytest.raises(ValueError, match=message):
        load(**fields)


def test_many_ids_are_counted(tmp_path: Path, values: np.ndarray):
    fields = saved(tmp_path, ".npz", values)
    with pytest.raises(ValueError, match=r"no features of 0, 1, 2, 5, 6, ... \(95 in all\)\. Hint"):
        load(np.arange(100), **fields)


def test_other_shapes_and_names_are_errors(tmp_path: Path, values: np.ndarray):
    file = tmp_path / "a.npz"

    def told(**fields: object) -> str:
        with pytest.raises(ValueError) as error:
            load(file=str(file), **fields)
        return str(error.value)

    np.savez(file, features=values, clip=IDS)
    assert "has 4 times, but clips of 8 frames have 8 of 1. Hint: tubelet" in told(tubelet=1)
    assert "no array 'name' with the ids of clips; it has features (5, 3, 4, 6)" in told(ids="name")
    assert "no array 'feats'" in told(array="feats")
    np.savez(file, a=values, b=values, clip=IDS)
    assert "several arrays, expected one (clip, layer, time, feature)" in told()
    np.testing.assert_array_equal(
        load(file=str(file), array="b").encode(None, np.arange(5)).pooled, values
    )
    np.savez(file, features=values[:, 0, 0], clip=IDS)
    assert "no features, expected one" in told()
    assert "Hint: of a clip as a whole, give it one time" in told(array="features")
    np.savez(file, features=values, clip=IDS[:4])
    assert "5 clips, but clip has 4 ids" in told()
    np.savez(file, features=values, clip=IDS, clips_digest="abd")
    assert "made of clips whose digest is abd, but those of heat have abc. Hint" in told()
    np.savez(file, features=values, clip=IDS + 0.5)
    assert "ids are 7.5, 3.5, 11.5, ..., expected whole numbers" in told()
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(Exception, match=r"a\.npz: can't be read"):
        load(file=str(file))
    group(tmp_path / "a.zarr", values, IDS, ("clip", "time", "layer", "feature"))
    with pytest.raises(
        ValueError, match="dimensions clip, time, layer, feature, expected clip, la"
    ):
        load(file=str(tmp_path / "a.zarr"))


def test_what_is_not_finite_names_clip_and_layer(tmp_path: Path, values: np.ndarray):
    values = values.astype("float64")
    values[2, 1, 3, 5], values[4, 2, 0, 0] = np.nan, 1e300
    encoder = load(**saved(tmp_path, ".npz", values))
    with pytest.raises(
        ValueError, match=r"clip 11, layer 1, time 3, feature 5: found nan, expected"
    ):
        encoder.encode(None, np.arange(5))
    with pytest.raises(ValueError, match=r"clip 9, layer final, time 0, .*found 1e\+300"):
        encoder.encode(None, np.array([4]))


def test_an_entry_says_whose_features_a_file_holds(tmp_path: Path, values: np.ndarray):
    for fields, message in (
        ({"file": "a.npy"}, "ids: missing; a.npy doesn't say whose features it holds"),
        ({"file": "a.csv"}, "found 'a.csv', expected .npy, .npz, .zarr or .parquet"),
        ({"file": ("a.npz", "a.npz")}, "each once"),
    ):
        with pytest.raises(ValidationError, match=message):
            precomputed.Spec(**{**ENTRY, **fields})
    fields = saved(tmp_path, ".npy", values)
    spec = precomputed.Spec(**{**ENTRY, **fields})
    told = [(spec.listing(), spec.content())]
    assert not list(precomputed.problems(spec)) and spec.sees_future
    (tmp_path / "ids.txt").write_text("7\n3\n11\n9\n4\n")
    told.append((spec.listing(), spec.content()))
    np.save(spec.file, values + 1)
    told.append((spec.listing(), spec.content()))
    assert len({a for a, _ in told}) == len({b for _, b in told}) == 3
    Path(spec.file).unlink()
    assert "features.npy: no such file" in " ".join(precomputed.problems(spec))


def test_it_is_of_one_system():
    content = config_files.read(ROOT / "tests/configs/wide.yaml").values
    content["encoders"]["theirs"] = {**ENTRY, "file": "tests/configs/none.npz", "tubelet": 3}
    content["studies"] = {"mine": {"system": "heat", "encoders": ["theirs"], "methods": ["ridge"]}}
    with pytest.raises(ValueError) as error:
        model.load(content)
    assert "encoders.theirs: tests/configs/none.npz: no such file" in str(error.value)
    assert "heat has 64 frames, which theirs can't cut into tubelets of 3" in str(error.value)
    content["encoders"]["theirs"]["system"] = "balls"
    with pytest.raises(ValueError, match="theirs is of clips of balls, and heat is another system"):
        model.load(content)


def test_the_example_makes_an_encoder_of_several_copies(tmp_path: Path):
    place = ROOT / "examples/own_features.py"
    loaded = importlib.util.spec_from_file_location("own_features", place)
    example = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(example)
    clips = tmp_path / "heat" / "clips.zarr"
    films = np.random.default_rng(0).integers(0, 256, (5, FRAMES, 6, 6, 3), dtype="uint8")
    with writing.create(
        clips / "zarr.json",
        variables={
            "video": writing.Variable(("clip", "time", "y", "x", "rgb"), films.shape, "uint8")
        },
        coords={
            "clip": (("clip",), IDS, {}),
            "time": (("time",), np.arange(8.0), {"units": "s"}),
        },
        attrs={},
        fingerprint={},
        block=4,
    ) as store:
        store.fill(lambda block: {"video": films[block]})
    for name in ("a.npz", "b.npz"):
        example.main(str(clips), str(tmp_path / name))
    spec = precomputed.Spec(file=tuple(str(tmp_path / n) for n in ("a.npz", "b.npz")), **ENTRY)
    out = tmp_path / "heat/embeddings/theirs.zarr/zarr.json"
    stage.run(clips=clips / "zarr.json", out=out, spec=spec.canonical())
    found = zarrs.read(out)
    assert found.pooled.dims == ("member", "clip", "layer", "time", "feature")
    np.testing.assert_array_equal(found.pooled[0], found.pooled[1])
    np.testing.assert_array_equal(found["clip"], IDS)
    np.testing.assert_allclose(found.pooled[0, 3], example.features(films[3]), rtol=1e-6)
