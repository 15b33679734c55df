"""Two stores go together by the ids of their clips and by the digest of what they show."""

import json
from pathlib import Path

import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.embed import stage as embed
from physprobe.fit import stage as fit
from physprobe.fit.designs import elsewhere, plain
from physprobe.fit.methods.ridge import Spec
from physprobe.fit.section import Design
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import inputs, results, writing, zarrs

CLIPS = 24
IDS = np.arange(CLIPS)
ORDER = np.random.default_rng(7).permutation(CLIPS)
SPEC = Spec(permutations=9, bootstraps=100, targets=("alpha",), samples=("clip",)).canonical()


def store(
    root: Path, name: str, values: np.ndarray, dims: tuple[str, ...], coords: dict, **attrs: object
) -> Path:
    with writing.create(
        root,
        variables={name: writing.Variable(dims, values.shape, "float32")},
        coords=coords,
        attrs={"spec": {"kind": "any"}, "label": "planted", **attrs},
        fingerprint={},
        block=5,
    ) as writer:
        writer.fill(lambda block: {name: values[block]})
    return root / "zarr.json"


def simulation(root: Path, ids: np.ndarray = IDS, **labels: np.ndarray) -> Path:
    labels = {"clip": ids, "alpha": np.exp(ids / CLIPS), **labels}
    coords = {key: (("clip",), value, {}) for key, value in labels.items()}
    field = np.ones((CLIPS, 2), "f4")
    return store(root, "field", field, ("clip", "x"), coords, field="field")


def embedding(root: Path, ids: np.ndarray = IDS, **attrs: object) -> Path:
    of_all = np.random.default_rng(0).normal(size=(2 * CLIPS, 2, 3, 4)) * 0.1
    pooled = of_all[ids] + (ids / CLIPS)[:, None, None, None]
    coords = {
        "clip": (("clip",), ids, {}),
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "time": (("time",), np.arange(3.0), {"units": "s"}),
    }
    return store(root, "pooled", pooled, ("clip", "layer", "time", "feature"), coords, **attrs)


PLAIN = plain.Spec()


def told(folder: Path, *pairs: tuple[Path, Path], design: Design = PLAIN) -> list[dict]:
    embeddings, simulations = map(list, zip(*pairs, strict=True))
    out = folder / "result.json"
    stores = {"embeddings": embeddings, "simulation": simulations}
    fit.run(**stores, out=out, spec=SPEC, design=design.canonical())
    return [{**row, "encoder": None} for row in results.read(out)["rows"]]


def test_an_embedding_permuted_with_its_clips_scores_the_same(tmp_path: Path):
    """Fault 16: it was joined by position, and R2 fell from .959 to -1.075."""
    system = simulation(tmp_path / "simulation.zarr")
    straight = told(tmp_path, (embedding(tmp_path / "a.zarr"), system))
    permuted = told(tmp_path, (embedding(tmp_path / "b.zarr", ORDER), system))
    assert permuted == straight
    selected = next(r for r in straight if r["layer"] == "selected" and r["metric"] == "r2")
    assert selected["value"] > 0.9


def test_a_rendering_permuted_with_its_clips_is_transferred_the_same(tmp_path: Path):
    """Fault 16: two renderings of one simulation are joined by id as well."""
    home = embedding(tmp_path / "a.zarr"), simulation(tmp_path / "s.zarr")
    same = embedding(tmp_path / "b.zarr"), simulation(tmp_path / "t.zarr")
    other = embedding(tmp_path / "c.zarr", ORDER), simulation(tmp_path / "u.zarr", ORDER)
    straight = told(tmp_path, home, same, design=elsewhere.Spec())
    assert told(tmp_path, home, other, design=elsewhere.Spec()) == straight


def test_tokens_are_joined_by_id_in_every_way_of_reading(tmp_path: Path):
    """Fault 16: whole layers, slices and single clips."""
    system = zarrs.read(simulation(tmp_path / "simulation.zarr"))
    straight = zarrs.read(embedding(tmp_path / "a.zarr"))
    permuted = zarrs.joined(zarrs.read(embedding(tmp_path / "b.zarr", ORDER)), system)
    for where in ({}, {"layer": 1}, {"clip": 3}, {"clip": slice(4, 17)}, {"clip": [9, 2]}):
        one, other = (zarrs.values(each, "pooled", **where) for each in (straight, permuted))
        np.testing.assert_array_equal(one, other)
    lazy = zarrs.Lazy(permuted, "pooled", slice(4, 9))
    np.testing.assert_array_equal(lazy[1:3], zarrs.values(straight, "pooled", clip=slice(5, 7)))


@pytest.mark.parametrize(
    ("ids", "said"),
    [(np.arange(CLIPS) + 1, "no clip 0"), (np.arange(CLIPS + 3), "others besides")],
)
def test_other_clips_are_refused(tmp_path: Path, ids: np.ndarray, said: str):
    """Fault 16."""
    pair = embedding(tmp_path / "a.zarr", ids), simulation(tmp_path / "simulation.zarr")
    with pytest.raises(ValueError, match=rf"a\.zarr: \d+ clips, but .*simulation\.zarr.*{said}"):
        told(tmp_path, pair)


def test_an_embedding_of_another_simulation_is_refused(tmp_path: Path):
    """Fault 16: any simulation with as many clips was taken."""
    system = simulation(tmp_path / "simulation.zarr")
    right = embedding(tmp_path / "a.zarr", simulation=zarrs.digest(system))
    wrong = embedding(tmp_path / "b.zarr", simulation="0" * 64)
    assert told(tmp_path, (right, system))
    with pytest.raises(ValueError, match=r"b\.zarr shows another simulation than .*Hint: embed"):
        told(tmp_path, (wrong, system))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two systems of as many clips, from simulation to embedding."""
    folders = [tmp_path_factory.mktemp("worlds") / name for name in ("one", "two")]
    for seed, folder in enumerate(folders):
        heat = {"kind": "heat", "clips": 6, "frames": 16, "size": 32, "sigma": [2.0, 3.0]}
        simulate.run(
            out=folder / "simulation.zarr",
            spec=json.dumps({**heat, "alpha": [0.1, 0.5], "seed": seed}),
        )
        render.run(
            simulation=folder / "simulation.zarr", out=folder / "clips.zarr",
            spec='{"kind": "fields"}',
        )  # fmt: skip
        embed.run(
            clips=folder / "clips.zarr", out=folder / "embeddings/statistics.zarr",
            spec='{"kind": "statistics"}',
        )  # fmt: skip
    return folders


def test_every_store_names_the_simulation_that_it_shows(worlds: list[Path]):
    """Fault 16: the chain of digests, from fields to embeddings."""
    folder = worlds[0]
    system, clips, found = (
        zarrs.read(folder / name)
        for name in ("simulation.zarr", "clips.zarr", "embeddings/statistics.zarr")
    )
    assert clips.attrs["simulation"] == found.attrs["simulation"] == system.attrs["digest"]
    assert found.attrs["clips"] == clips.attrs["digest"]
    for store_ in (clips, found):
        np.testing.assert_array_equal(store_["clip"], system["clip"])


@pytest.mark.parametrize("source", ["simulation.zarr", "clips.zarr", "embeddings/statistics.zarr"])
def test_a_law_is_not_read_off_another_simulation(worlds: list[Path], source: str):
    """Fault 16: neither off fields, nor off films or embeddings of them."""
    with pytest.raises(ValueError, match="shows another simulation"):
        fit.run(
            simulation=[worlds[0] / "simulation.zarr"], embeddings=[worlds[1] / source],
            out=worlds[0] / "law.json", spec='{"kind": "linear"}',
        )  # fmt: skip


def test_at_the_door_it_is_one_line(
    worlds: list[Path], caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    """Fault 16: by hand, with any simulation that has as many clips."""
    options = {
        "embeddings": worlds[0] / "embeddings/statistics.zarr/zarr.json",
        "simulation": worlds[1] / "simulation.zarr/zarr.json",
        "out": tmp_path / "a.json",
        "spec": SPEC,
    }
    text = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert door.main(["fit", *text]) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "shows another simulation" in line and "\n" not in line
    assert not options["out"].exists()


def test_a_result_of_another_store_is_refused(tmp_path: Path):
    """Fault 16: a result beside a store is of that store, by its digest."""
    system = zarrs.read(simulation(tmp_path / "simulation.zarr"))
    result = {"provenance": {"inputs": {"simulation": system.attrs["digest"]}}}
    inputs.check_origin("small", result, simulation=system)
    result["provenance"]["inputs"]["simulation"] = "0" * 64
    with pytest.raises(ValueError, match=r"a result of small was read off other simulation"):
        inputs.check_origin("small", result, simulation=system)
