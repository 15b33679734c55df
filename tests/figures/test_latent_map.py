"""Map of latents: every point is a frame, along principal axes, coloured by what it shows."""

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.embed import stage as embed
from physprobe.embed.pixels import Spec as Pixels
from physprobe.figures import latent_map
from physprobe.fit import stage
from physprobe.fit.methods import states
from physprobe.render import pendulum
from physprobe.render import stage as render
from physprobe.simulate import double_pendulum
from physprobe.simulate import stage as simulate
from physprobe.store import evidence, inputs, zarrs

TARGETS = ("sincos_theta1", "sincos_theta2", "omega1")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> evidence.Evidence:
    """Two pixel encoders of a few pendulums, in tokens of two frames, by the real stages."""
    folder = tmp_path_factory.mktemp("results") / "rods"
    simulation, clips = (folder / f"{name}.zarr" / "zarr.json" for name in ("simulation", "clips"))
    simulate.run(out=simulation, spec=double_pendulum.Spec(clips=15, frames=24).canonical())
    render.run(simulation=simulation, out=clips, spec=pendulum.Spec(size=16).canonical())
    asked = states.Spec(targets=TARGETS, skip=1, permutations=20, bootstraps=100).canonical()
    embeddings, fits = [], []
    for name, size in (("fine", 8), ("coarse", 4)):
        embeddings.append(folder / "embeddings" / f"{name}.zarr" / "zarr.json")
        embed.run(clips=clips, out=embeddings[-1], spec=Pixels(size=size, tubelet=2).canonical())
        fits.append(folder / "fits" / f"{name}.states.json")
        stage.run(embeddings=embeddings[-1:], simulation=[simulation], out=fits[-1], spec=asked)
    named = {"system": "rods", "systems": [], "encoders": {"fine": {}}, "controls": {"coarse": {}}}
    return evidence.read(named, "one", fits, embeddings, [simulation])


def test_points_are_frames_along_the_first_two_axes(study):
    frame = latent_map.frame(study)
    units = dict(zip(frame["state"], frame["unit"], strict=True))
    assert units == {"sincos_theta1": "rad", "sincos_theta2": "rad", "energy": "J"}
    fine = frame[(frame["encoder"] == "fine") & (frame["state"] == "sincos_theta1")]
    latent = study.features("fine")[:, 1:]
    rows = latent.reshape(-1, latent.shape[-1])
    spread = np.linalg.svd(rows - rows.mean(0), full_matrices=False)[1] ** 2
    assert fine["share_x"].iloc[0] == pytest.approx(spread[0] / spread.sum())
    assert len(fine) == 15 * 11, "the first token is left out"
    # every clip is there, so the points' own variances are those of the axes
    for key, value in zip(("x", "y"), spread, strict=False):
        assert fine[key].var(ddof=0) * len(rows) == pytest.approx(value)


def test_colours_are_states_at_the_last_frame_of_each_token(study):
    frame = latent_map.frame(study)
    source = study.embeddings["rods", "fine"]
    at = inputs.last_frames(source, study.system)
    assert list(frame["frame"].unique()) == list(at[1:]) == list(range(3, 24, 2))
    truth = zarrs.values(study.system, "theta2")[4, at[1:]]
    own = frame[(frame["state"] == "sincos_theta2") & (frame["clip"] == 4)]
    found = own.loc[own["encoder"] == "fine", "value"].to_numpy()
    np.testing.assert_allclose(np.exp(1j * found), np.exp(1j * truth), atol=1e-6)
    energy = frame[(frame["state"] == "energy") & (frame["clip"] == 4)]["value"]
    assert np.ptp(energy) < 1e-4 * energy.mean(), "which is conserved"


def test_figure_is_sound(study):
    found = latent_map.figure(latent_map.frame(study))
    sound(found)
    panels = [ax for ax in found.axes if ax.get_label() != "<colorbar>"]
    assert len(panels) == 2 * 3
    assert {ax.collections[0].get_cmap().name for ax in panels} == {"twilight", "viridis"}
