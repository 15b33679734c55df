"""Discover stage: a simulation and a source in, one result out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from physprobe.discover import linear, stage
from physprobe.store import results, zarrs

CLIPS = 5


def store(out: Path, name: str, values: np.ndarray, attrs: dict, **labels: np.ndarray) -> Path:
    dims = ("clip", "time", "y", "x", "feature")[: values.ndim]
    time = (("time",), 0.5 * np.arange(values.shape[1]), {"units": "s"})
    coords = {"time": time, **{n: (("clip",), v, {"units": "1"}) for n, v in labels.items()}}
    with zarrs.create(
        out / "zarr.json",
        variables={name: zarrs.Variable(dims, values.shape, str(values.dtype))},
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
    field = field[..., 0].astype(np.float32)
    filmed = attrs | {"field": "u"}
    return {
        "simulation": store(folder / "simulation.zarr", "u", field, filmed, **labels),
        "tokens": store(folder / "t.zarr", "tokens_final", tokens.astype(np.float32), attrs),
        "pooled": store(folder / "p.zarr", "pooled", tokens[:, :, 0, 0].astype(np.float32), attrs),
    }  # fmt: skip


def run(places: dict, source: str, out: Path) -> dict:
    stage.run(
        simulation=places["simulation"],
        source=places[source],
        out=out,
        spec=linear.Spec(nulls=10, shuffles=199, bootstraps=100, band=5, centred=False).canonical(),
        code="c0de",
    )
    return results.read(out)


def rows(result: dict, **where: object) -> list[dict]:
    return [row for row in result["rows"] if where.items() <= row.items()]


def test_field_gives_law_parameters_and_dispersion(places, tmp_path):
    found = run(places, "simulation", tmp_path / "field.json")
    assert found["schema"] == "physprobe/discovery/2"
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
    assert found["provenance"]["read"] == "u"


def test_law_is_read_off_tokens(places, tmp_path):
    found = run(places, "tokens", tmp_path / "tokens.json")
    assert found["verdict"]["verdict"] == "wave-like"
    (error,) = rows(found, metric="relative_error", target="c")
    assert error["value"] < 0.02
    assert found["provenance"]["read"] == "tokens_final"


def test_same_inputs_give_the_same_rows(places, tmp_path):
    paths = (tmp_path / name / "field.json" for name in "ab")
    first, second = (run(places, "simulation", path) for path in paths)
    assert first["rows"] == second["rows"]


def test_embeddings_without_a_grid_are_refused(places, tmp_path):
    with pytest.raises(ValueError, match=r"Hint: set tokens: \[final\]"):
        run(places, "pooled", tmp_path / "none.json")
