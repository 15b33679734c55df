"""A system's own equation goes on from states that clips have, and is filmed as they are."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from physprobe.config import config_files
from physprobe.config import model as config
from physprobe.embed import stage as embed
from physprobe.embed.pixels import Spec as Pixels
from physprobe.fit import stage
from physprobe.fit._motion import Motion
from physprobe.fit.commands import STAGE
from physprobe.fit.methods import rollout
from physprobe.fit.section import METHODS
from physprobe.render import pendulum
from physprobe.render import stage as render
from physprobe.simulate import double_pendulum, heat
from physprobe.simulate import stage as simulate
from physprobe.store import results, zarrs
from physprobe.store.fits import row
from physprobe.store.inputs import Inputs

RENDER = pendulum.Spec(size=16)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few pendulums by the real stages, embedded in tokens of two frames."""
    folder = tmp_path_factory.mktemp("results") / "rods"
    paths = {
        "simulation": folder / "simulation.zarr" / "zarr.json",
        "clips": folder / "clips.zarr" / "zarr.json",
        "embeddings": folder / "embeddings" / "pixels.zarr" / "zarr.json",
    }
    spec = double_pendulum.Spec(clips=15, frames=24, energy=(0.05, 0.4))
    simulate.run(out=paths["simulation"], spec=spec.canonical())
    render.run(simulation=paths["simulation"], out=paths["clips"], spec=RENDER.canonical())
    pixels = Pixels(size=8, tubelet=2).canonical()
    embed.run(clips=paths["clips"], out=paths["embeddings"], spec=pixels)
    return paths


@pytest.fixture
def read(stores) -> Inputs:
    spec = rollout.Spec().canonical()
    return Inputs.read(METHODS, stores["embeddings"], stores["simulation"], spec)


def test_what_starts_as_a_clip_goes_on_as_it(read):
    motion = Motion.of(read)
    assert motion.names == ("theta1", "theta2", "omega1", "omega2")
    assert motion.angles == ("theta1", "theta2")
    clips, token = np.array([3, 0, 7]), 2
    start = np.stack([read.states[name][clips, token] for name in motion.names], -1)
    found = motion.ahead(clips, start, 6)
    for name in (*motion.names, "kinetic"):
        truth = read.states[name][clips, token : token + 7]
        np.testing.assert_allclose(found[name], truth, atol=2e-5)


def test_a_state_is_filmed_as_its_frame_was(stores, read):
    spec = zarrs.read(stores["clips"]).attrs["spec"]
    motion = Motion.of(read).filmed(spec)
    clips = np.array([4, 1])
    start = np.stack([read.states[name][clips, 3] for name in motion.names], -1)
    _, films = read.filmed(stores["clips"])
    for clip, frame in zip(clips, motion.frames(clips, start), strict=True):
        assert np.abs(frame.astype(int) - films[clip][3]).max() <= 1, "but for float32"


def test_without_a_renderer_nothing_is_filmed(read):
    with pytest.raises(ValueError, match="Hint: name it by filmed"):
        Motion.of(read).frames(np.array([0]), np.zeros((1, 4)))


def test_a_field_has_no_state_to_start_from(tmp_path):
    paths = [tmp_path / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr", "e.zarr")]
    simulate.run(
        out=paths[0], spec=heat.Spec(clips=6, frames=4, size=32, sigma=(2.0, 3.0)).canonical()
    )
    render.run(simulation=paths[0], out=paths[1], spec='{"kind": "fields"}')
    embed.run(clips=paths[1], out=paths[2], spec=Pixels(size=4).canonical())
    assert Motion.of(Inputs.read(METHODS, paths[2], paths[0], rollout.Spec().canonical())) is None


def test_rollouts_of_the_system_have_the_equation_beside_them(stores):
    out = stores["clips"].parents[1] / "fits" / "pixels.rollout.json"
    spec = rollout.Spec(horizons=(1, 2), orders=(1,), bootstraps=100, permutations=20, outer=3)
    stage.run(
        embeddings=[stores["embeddings"]], simulation=[stores["simulation"]], out=out,
        spec=spec.canonical(),
    )  # fmt: skip
    found = results.read(out, "rollout")
    drift = row(found, model="equation", metric="energy_drift", horizon=2)["value"]
    assert drift < 1e-3, "the equation keeps energy, whatever was read"
    assert row(found, model="state_mlp", metric="angle_error", horizon=1)["value"] > 0


def test_code_of_system_and_renderer_is_part_of_what_solves_it(tmp_path):
    text = """
systems: {one: {simulate: {kind: double_pendulum}, render: {kind: pendulum}}}
encoders: {seen: {kind: pixels}}
methods: {decoder: {kind: decoder}, states: {kind: states, targets: [omega1]}}
studies: {one: {system: one, encoders: [seen], methods: [decoder, states]}}
"""
    (tmp_path / "study.yaml").write_text(text)
    known = config.read(tmp_path / "study.yaml")
    asked = {
        method: STAGE.commands["fit"].kinds(
            known, SimpleNamespace(place="one", source="seen", method=method)
        )
        for method in ("decoder", "states")
    }
    assert {"simulate.double_pendulum", "render.pendulum"} <= {*asked["decoder"]}
    assert not {"simulate.double_pendulum", "render.pendulum"} & {*asked["states"]}


def test_a_rival_has_to_be_in_the_study(tmp_path):
    text = """
systems: {one: {simulate: {kind: double_pendulum}, render: {kind: pendulum}}}
encoders: {seen: {kind: pixels}, other: {kind: pixels, size: 8}}
controls: {plain: {kind: statistics}}
methods: {states: {kind: states, targets: [omega1]}}
studies:
  one:
    system: one
    encoders: [seen]
    controls: [plain]
    methods: [states]
    claims: {beats: {kind: decodable, statement: s, target: omega1, sample: state, rivals: [other]}}
"""
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(config_files.ConfigError, match="it has to beat other"):
        config.read(tmp_path / "study.yaml")
