"""A law by the fit stage: a simulation and a source in, one result out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from physprobe.fit import stage
from physprobe.fit.methods import linear
from physprobe.fit.section import Given
from physprobe.store import results, writing

CLIPS = 5
LAYERED = ("clip", "layer", "time", "feature")


def store(
    out: Path,
    name: str,
    values: np.ndarray,
    attrs: dict,
    dims: tuple[str, ...] = ("clip", "time", "y", "x", "feature"),
    **labels: np.ndarray,
) -> Path:
    dims = dims[: values.ndim]
    time = (("time",), 0.5 * np.arange(values.shape[dims.index("time")]), {"units": "s"})
    coords = {"time": time, **{n: (("clip",), v, {"units": "1"}) for n, v in labels.items()}}
    with writing.create(
        out / "zarr.json",
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs=attrs,
        fingerprint={},
        block=len(values),
    ) as writer:
        writer.fill(lambda block: {name: values[block]})
    return out / "zarr.json"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, world: Callable) -> dict[str, Path]:
    """A damped wave filmed twice a second, and tokens that repeat its coarse field."""
    folder = tmp_path_factory.mktemp("places")
    field, truth = world("damped_wave", CLIPS)
    labels = {"c": 2 * truth["c"], "gamma": 2 * truth["gamma"]}
    coarse = field.reshape(CLIPS, -1, 16, 2, 16, 2).mean((3, 5))[..., None]
    rng = np.random.default_rng(0)
    tokens = coarse * rng.normal(size=12)
    attrs = {"spec": {"kind": "wave"}}
    squares = coarse.reshape(CLIPS, 1, coarse.shape[1], -1).astype(np.float32)
    pixels = {"spec": {"kind": "pixels", "size": 16, "tubelet_frames": "mean"}}
    field = field[..., 0].astype(np.float32)
    filmed = attrs | {"field": "u"}
    return {
        "simulation": store(folder / "simulation.zarr", "u", field, filmed, **labels),
        "tokens": store(folder / "t.zarr", "tokens_final", tokens.astype(np.float32), attrs),
        "pixels": store(folder / "x.zarr", "pooled", squares, pixels, dims=LAYERED),
        "pooled": store(folder / "p.zarr", "pooled", tokens[:, :, 0, 0].astype(np.float32), attrs),
    }  # fmt: skip


def run(places: dict, source: str, out: Path, **more: object) -> dict:
    stage.run(
        simulation=[places["simulation"]],
        embeddings=[places[source]],
        out=out,
        spec=linear.Spec(
            nulls=10, shuffles=199, bootstraps=100, band=5, controls=2, centred=False, **more
        ).canonical(),
    )
    return results.read(out)


@pytest.fixture(scope="module")
def found(places: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The law of the field itself."""
    return run(places, "simulation", tmp_path_factory.mktemp("found") / "field.laws.json")


def rows(result: dict, **where: object) -> list[dict]:
    return [row for row in result["rows"] if where.items() <= row.items()]


def test_field_gives_law_parameters_and_dispersion(found):
    assert found["schema"] == "physprobe/law/2"
    assert (found["encoder"], found["method"]) == ("field", "laws")
    assert found["verdict"] == {
        "verdict": "wave-like", "law": "damped_wave", "leading": "damped_wave", "order": 2,
        "reason": "",
    }  # fmt: skip
    for name in ("c", "gamma"):
        (error,) = rows(found, metric="relative_error", target=name)
        assert error["value"] < 1e-3
        assert found["clips"]["parameters"][name] == pytest.approx(
            found["clips"]["truth"][name], 1e-3
        )
    (exponent,) = rows(found, metric="exponent", quantity="frequency")
    assert exponent["value"] == pytest.approx(1, abs=0.05)
    curve = found["dispersion"]["curves"]["frequency"]
    slope = np.polyfit(np.log(curve["wavenumber"]), np.log(curve["value"]), 1)[0]
    assert slope == pytest.approx(1, abs=0.1)
    assert found["read"] == "u"


def test_law_is_read_off_tokens(places, tmp_path):
    found = run(places, "tokens", tmp_path / "tokens.json")
    assert found["verdict"]["verdict"] == "wave-like"
    (error,) = rows(found, metric="relative_error", target="c")
    assert error["value"] < 0.02
    assert found["read"] == "tokens_final"


@pytest.fixture(scope="module")
def first(places: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The law of the first two clips."""
    return run(places, "simulation", tmp_path_factory.mktemp("first") / "field.laws.json", clips=2)


def test_same_inputs_give_the_same_rows(places, first, tmp_path):
    again = run(places, "simulation", tmp_path / "field.laws.json", clips=2)
    assert again["rows"] == first["rows"]


def test_only_a_law_is_read_off_the_field(places, tmp_path):
    with pytest.raises(ValueError, match=r"is no embedding, and ridge takes nothing else"):
        stage.run(
            simulation=[places["simulation"]], embeddings=[places["simulation"]],
            out=tmp_path / "none.json", spec='{"kind": "ridge", "inner": 2, "outer": 2}',
        )  # fmt: skip


def test_clips_of_several_systems_have_no_law(places):
    given = Given(features=[], layers=[], labels={}, folds=())
    with pytest.raises(
        ValueError, match=r"whole clips of one system.*Hint: take the design `plain"
    ):
        linear.fit(linear.Spec(), given)


def test_pixels_keep_their_grid(places, tmp_path):
    found = run(places, "pixels", tmp_path / "pixels.laws.json")
    assert found["read"] == "pooled"
    assert found["verdict"]["verdict"] == "wave-like"


def test_first_clips_alone_are_read(found, first):
    assert len(first["clips"]["verdict"]) == len(first["clips"]["truth"]["c"]) == 2
    assert first["clips"]["truth"]["c"] == found["clips"]["truth"]["c"][:2]
    for row in rows(first, metric="relative_error"):
        assert row["n_clips"] <= 2


def test_embeddings_without_a_grid_are_refused(places, tmp_path):
    with pytest.raises(ValueError, match=r"Hint: set tokens: \[final\]"):
        run(places, "pooled", tmp_path / "none.json")
