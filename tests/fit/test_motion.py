"""A system's own equation goes on from states that clips have, and is filmed as they are."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.config import config_files
from physprobe.config import model as config
from physprobe.drawing import strips
from physprobe.embed import stage as embed
from physprobe.embed.pixels import Spec as Pixels
from physprobe.figures import abroad
from physprobe.figures.commands import STAGE as FIGURES
from physprobe.fit import stage
from physprobe.fit._abroad import Abroad
from physprobe.fit._motion import Motion
from physprobe.fit.commands import STAGE
from physprobe.fit.methods import _decoded, decoder, rollout
from physprobe.fit.section import METHODS
from physprobe.render import pendulum
from physprobe.render import stage as render
from physprobe.simulate import double_pendulum, heat
from physprobe.simulate import stage as simulate
from physprobe.store import results, zarrs
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits, row
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


@pytest.mark.parametrize("place", [(30, 60), (12, 20)])
def test_what_moves_is_cut_out_on_black(place):
    rng = np.random.default_rng(0)
    scene = rng.integers(60, 140, (1, 80, 100, 3)).repeat(24, 0).astype(np.uint8)
    angle = 2 * np.pi * np.arange(24) / 24
    tips = [np.round(place[k] + 9 * f(angle)).astype(int) for k, f in enumerate((np.sin, np.cos))]
    for time, (y, x) in enumerate(zip(*tips, strict=True)):
        scene[time, y - 1 : y + 2, x - 1 : x + 2] = 250
    found = Abroad("lab", scene, 16, None).moving()
    time, height, width = found.shape
    assert height == width and 21 <= height <= 25, "all that ever moves, and a tenth more"
    for frame, y, x in zip(found, *tips, strict=True):
        top = np.array(np.unravel_index(frame.argmax(), frame.shape))
        assert np.abs(top - height / 2 - (np.array([y, x]) - place)).max() <= 2.5
        assert (frame > 64).sum() <= 9, "the scene that stands still is black"


def test_a_clip_of_another_system_goes_through_encoder_and_decoder(stores, tmp_path):
    folder = tmp_path / "lab"
    paths = [folder / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr")]
    spec = double_pendulum.Spec(clips=2, frames=40, interval=0.025, seed=5)
    simulate.run(out=paths[0], spec=spec.canonical())
    wide = pendulum.Spec(size=48)
    render.run(simulation=paths[0], out=paths[1], spec=wide.canonical())
    out = tmp_path / "fits" / "pixels.decoder.json"
    asked = decoder.Spec(
        size=16, channels=(8,), steps=40, bootstraps=100, horizons=(1,), abroad="lab"
    )
    stage.run(
        embeddings=[stores["embeddings"]], simulation=[stores["simulation"]],
        clips=[stores["clips"]], abroad=[paths[1]], out=out, spec=asked.canonical(),
    )  # fmt: skip
    part = results.read(out, "decoder")["decoder"]["abroad"]
    assert part["system"] == "lab" and part["error"] > 0
    films = {name: strips.unpacked(part[name]) for name in ("truth", "reconstruction", "filmed")}
    # 40 frames of 25 ms are 20 of 50 ms, and those 10 tokens of two
    assert {name: film.shape for name, film in films.items()} == {
        "truth": (10, 16, 16), "reconstruction": (10, 16, 16), "filmed": (10, 96, 96),
    }  # fmt: skip
    video = zarrs.values(zarrs.read(paths[1]), "video", clip=slice(0, 1))[0]
    shown = _decoded.shrunk(video, 96)
    np.testing.assert_array_equal(films["filmed"], shown[np.arange(1, 20, 2) * 2])
    figure = abroad.figure(abroad.frame(study(out)))
    sound(figure)
    assert sum(len(ax.images) for ax in figure.axes) == 3 * abroad.TIMES
    assert "Nothing was trained on it" in abroad.CAPTION
    assert "Nothing was trained on it" in figure.get_supxlabel()


def study(out: Path) -> Evidence:
    fits = {"rods": {"decoder": Fits.read([out])}}
    return Evidence(("pixels",), (), {"pixels": "pixels"}, place="rods", fits=fits).at()


@pytest.mark.parametrize(
    ("render_", "abroad_", "message"),
    [
        ("pendulum", "lb", "methods.decoder.abroad: found 'lb'. Did you mean 'lab'"),
        ("signal", "lab", "methods.decoder.abroad: lab is a signal. Hint: name a filmed system"),
        ("pendulum", "lab", None),
    ],
)
def test_another_system_has_to_be_filmed_and_has_a_figure(tmp_path, render_, abroad_, message):
    text = f"""
systems:
  one: {{simulate: {{kind: double_pendulum}}, render: {{kind: pendulum}}}}
  lab: {{simulate: {{kind: double_pendulum}}, render: {{kind: {render_}}}}}
encoders: {{seen: {{kind: pixels}}}}
methods: {{decoder: {{kind: decoder, abroad: {abroad_}}}, plain: {{kind: decoder}}}}
studies:
  one: {{system: one, encoders: [seen], methods: [decoder]}}
  two: {{system: one, encoders: [seen], methods: [plain]}}
"""
    (tmp_path / "study.yaml").write_text(text)
    if message:
        with pytest.raises(config_files.ConfigError, match=message.replace(".", r"\.")):
            config.read(tmp_path / "study.yaml")
        return
    known = config.read(tmp_path / "study.yaml")
    drawn = FIGURES.figures(known)
    assert "one/abroad" in drawn and "two/abroad" not in drawn
    asked = SimpleNamespace(place="one", source="seen", method="decoder")
    needed = STAGE.commands["fit"].inputs(known, asked)
    assert needed["abroad"] == ["results/lab/clips.zarr/zarr.json"]
