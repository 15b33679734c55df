"""Linear models and projections on real stores: trained, written, embedded; a prior's product."""

import json

import numpy as np
import pytest
import xarray as xr

from physprobe.embed import linear_models, stage
from physprobe.render import stage as rendering
from physprobe.simulate import noisy_tv
from physprobe.simulate import stage as simulating
from physprobe.store import zarrs
from physprobe.train import stage as training

SYSTEM = {
    "simulate": {
        "kind": "noisy_tv",
        "sigma": [0, 3],
        "draws": 2,
        "train": 3,
        "test": 2,
        "frames": 30,
    },
    "render": {"kind": "sensors"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tv")
    simulating.run(out=root / "simulation.zarr/zarr.json", spec=json.dumps(SYSTEM["simulate"]))
    rendering.run(
        simulation=root / "simulation.zarr/zarr.json",
        out=root / "clips.zarr/zarr.json",
        spec=json.dumps(SYSTEM["render"]),
    )
    return root


def embedded(folder, name, spec):
    simulation = folder / "simulation.zarr/zarr.json"
    out = folder / f"embeddings/{name}.zarr/zarr.json"
    stage.run(
        clips=folder / "clips.zarr/zarr.json",
        out=out,
        spec=json.dumps(spec),
        simulation=[simulation],
    )
    return xr.open_zarr(out.parent).load()


def trained(folder, kind, **fields):
    out = folder / kind / "model.safetensors"
    spec = {"kind": kind, "system": SYSTEM, "steps": 5, "seeds": [3, 4], **fields}
    training.run(out=out, spec=json.dumps(spec))
    return str(out.parent)


def test_latents_are_the_maps_of_each_condition(folder):
    model = trained(folder, "linear_jepa", standardise=True)
    found = embedded(folder, "jepa", {"kind": "linear_models", "model": model, "seeds": [3, 4]})
    assert found.pooled.dims == ("member", "clip", "layer", "time", "feature")
    assert found.layer.values.tolist() == ["latent", "predicted", "target"]
    assert found.attrs["architecture"]["networks"] == 2
    from safetensors.numpy import load_file

    tensors = load_file(f"{model}/model.safetensors")
    content = json.loads((folder / "linear_jepa/config.json").read_text())
    system = zarrs.read(folder / "simulation.zarr/zarr.json")
    clip = 13
    own = [float(system[name].values[clip]) for name in noisy_tv.CONDITIONS]
    number = content["conditions"]["table"].index(own)
    map_, level = tensors["4/latent/map"][number], tensors["4/latent/level"][number]
    expected = system.sensors.values[clip] @ map_.T + level
    np.testing.assert_allclose(found.pooled.values[1, clip, 0], expected, atol=1e-5)


def test_standardised_sensors_give_latents_of_mean_zero(folder):
    model = trained(folder, "linear_autoregression", standardise=True)
    found = embedded(folder, "ar", {"kind": "linear_models", "model": model, "seeds": [3]})
    system = zarrs.read(folder / "simulation.zarr/zarr.json")
    mine = (system.split.values == "train") & (system.sigma.values == 3) & (system.draw.values == 0)
    np.testing.assert_allclose(found.pooled.values[mine, 0].mean((0, 1)), 0, atol=1e-4)


def test_priors_are_swapped(folder):
    model = trained(folder, "linear_bjepa")
    stores = {
        prior: embedded(folder, prior, {
            "kind": "linear_models", "model": model, "seeds": [3], "prior": prior,
            "certainty": 1e-4,
        }).pooled.values
        for prior in ("learned", "right", "wrong")
    }  # fmt: skip
    assert stores["right"].shape[1] == 5
    latent, predicted, _, target, _ = range(5)
    for one in ("right", "wrong"):
        np.testing.assert_array_equal(stores[one][:, latent], stores["learned"][:, latent])
    told = stores["right"][:, predicted, :-1]
    np.testing.assert_allclose(told, stores["right"][:, target, 1:], atol=0.01)
    assert np.abs(stores["wrong"][:, predicted, :-1] - stores["right"][:, target, 1:]).max() > 0.1


@pytest.mark.parametrize("kind", ["linear_vae", "linear_vjepa", "linear_bjepa"])
def test_learned_variances_are_kept(folder, kind):
    out = folder / f"{kind}_learned" / "model.safetensors"
    spec = {"kind": kind, "system": SYSTEM, "steps": 5, "variances": "learned"}
    training.run(out=out, spec=json.dumps(spec))
    model = {"kind": "linear_models", "model": str(out.parent)}
    found = embedded(folder, f"{kind}_learned", model)
    assert np.isfinite(found.pooled.values).all()
    if kind != "linear_vae":
        spread = found.pooled.sel(layer="log_variance").values
        assert 0 < np.abs(spread).max() < 1
        assert (spread == spread[:, :1]).all()


def test_product_by_hand():
    """N(1, 1) N(4, 2) is N(2, 2/3) but for its size."""
    one = np.ones((1, 1, 1))
    found = linear_models.product(
        {
            "predicted": one,
            "log_variance": 0 * one,
            "prior": 4 * one,
            "prior_log_variance": np.log(2) * one,
        }
    )
    assert found["predicted"].item() == pytest.approx(2)
    assert np.exp(found["log_variance"]).item() == pytest.approx(2 / 3)


def test_what_does_not_fit_is_named(folder):
    model = trained(folder, "linear_vae")
    for fields, told in (
        ({"seeds": [9]}, "no member 9"),
        ({"seeds": [3], "prior": "right"}, "no prior"),
    ):
        with pytest.raises(ValueError, match=told):
            embedded(folder, "x", {"kind": "linear_models", "model": model, **fields})


@pytest.mark.parametrize("spec", [{"kind": "projection", "how": "lagged_cca"}, {"kind": "kalman"}])
def test_closed_forms_embed_every_frame(folder, spec):
    found = embedded(folder, spec["kind"], spec).pooled.values
    assert found.shape == (20, 1, 30, 4)
    system = zarrs.read(folder / "simulation.zarr/zarr.json")
    loud = system.sigma.values == 3
    signal = np.stack([system[name].values for name in noisy_tv.SIGNAL], -1)
    for draw in (0, 1):
        mine = loud & (system.draw.values == draw)
        z, s = found[mine, 0].reshape(-1, 4), signal[mine].reshape(-1, 4)
        if spec["kind"] == "kalman":
            np.testing.assert_allclose(z, s, atol=0.2)
        else:
            np.testing.assert_allclose(z[:90].mean(0), 0, atol=3)
