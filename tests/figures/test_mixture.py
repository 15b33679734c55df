"""Landscapes, samples, spread and similarities as figures and films, of a known density."""

from types import SimpleNamespace

import numpy as np
import pytest
from figure_oracle import sound
from PIL import Image

from physprobe.config.system import System
from physprobe.figures import (
    _alike,
    _panes,
    _walk,
    commands,
    landscapes,
    samples,
    similarities,
    spread,
)
from physprobe.fit._plane import Plane
from physprobe.fit.methods import energies
from physprobe.fit.methods import spread as spreading
from physprobe.fit.section import SCHEMAS, Given
from physprobe.simulate import mixture
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

DENSITY = mixture.Spec().mixture


def result(role, found, encoder):
    rows, blocks = found
    rows = [SCHEMAS[role].row(**{**row, "encoder": encoder}) for row in rows]
    about = {"schema": f"physprobe/{role}/2", "spec": {}, "encoder": encoder}
    return {**about, "rows": rows, **blocks}


def energy(scale, *noises):
    """Fit to energies that are ``scale`` times too steep."""

    def given(points, *layers):
        each = [DENSITY.smoothed(noises[n]) for n in layers or range(len(noises))]
        parts = [
            np.concatenate([-p.log_density(points)[:, None], p.score(points)], 1) for p in each
        ]
        return scale * np.stack(parts)

    plane = Plane(DENSITY, given, "energy", noises, None if any(noises) else 10.0)
    layers = [f"energy_{noise:g}" for noise in noises]
    seen = Given([np.zeros((4, 1, 3))] * len(noises), layers, {}, (), plane=plane)
    spec = energies.Spec(samples=60, steps=20, cells=8, frames=4, walkers=9)
    return energies.fit(spec, seen)


def embedded(function):
    points, _ = DENSITY.drawn(80, np.random.default_rng(1))
    labels = {"x": points[:, 0], "y": points[:, 1]}
    plane = Plane(DENSITY, lambda seen, *_: function(seen)[None], "embedding")
    seen = Given([function(points)[:, None]], ["embedding"], labels, (), plane=plane)
    return spreading.fit(spreading.Spec(references=5, cells=6), seen)


@pytest.fixture(scope="module")
def of_energies():
    fits = {
        "contrastive": result("energy", energy(1.0, 0.0), "contrastive"),
        "dsm": result("energy", energy(0.5, 2.0, 1.0), "dsm"),
        "density": result("energy", energy(1.0, 0.0), "density"),
    }
    return Evidence(
        ("contrastive", "dsm"), ("density",), {}, place="mixture",
        fits={"mixture": {"energies": Fits(fits)}},
    ).at()  # fmt: skip


@pytest.fixture(scope="module")
def of_spread():
    fits = {
        "apart": result("spread", embedded(lambda seen: seen), "apart"),
        "one": result("spread", embedded(lambda seen: 1 + 1e-6 * seen), "one"),
    }
    return Evidence(
        ("apart", "one"), (), {}, place="mixture", fits={"mixture": {"spread": Fits(fits)}}
    ).at()


def test_landscapes_have_the_density_beside_them(of_energies):
    frame = landscapes.frame(of_energies)
    assert len(frame) == 3 * 64
    own = frame[frame["encoder"] == "contrastive"]
    np.testing.assert_allclose(own["value"], own["truth"], atol=0.011)
    points = own[["x", "y"]].to_numpy()
    np.testing.assert_allclose(own["truth"], DENSITY.log_density(points), atol=0.006)
    assert set(frame[frame["encoder"] == "dsm"]["noise"]) == {1.0}
    sound(landscapes.figure(frame))


def test_samples_stand_beside_true_points(of_energies):
    frame = samples.frame(of_energies)
    assert frame.groupby(["encoder", "drawn"]).size().eq(60).all()
    assert (frame["share_error"] >= 0).all()
    sound(samples.figure(frame))


def test_spread_tells_which_have_collapsed(of_spread):
    frame = spread.frame(of_spread)
    fell = frame[frame["metric"] == "apart"].set_index("encoder")["collapsed"]
    assert fell.to_dict() == {"apart": False, "one": True}
    sound(spread.figure(frame))


def test_similarities_are_cosines(of_spread):
    frame = similarities.frame(of_spread)
    assert len(frame) == 2 * 3 * 36
    own = frame[frame["encoder"] == "apart"]
    at, there = own[["reference_x", "reference_y"]].to_numpy(), own[["x", "y"]].to_numpy()
    cosine = (at * there).sum(1) / np.linalg.norm(at, axis=1) / np.linalg.norm(there, axis=1)
    np.testing.assert_allclose(own["value"], cosine, atol=0.01)
    assert frame[frame["encoder"] == "one"]["value"].min() == 1
    picture = similarities.figure(frame)
    assert {ax.get_title(loc="left") for ax in picture.axes} >= {"apart", "one"}
    sound(picture)


def test_films_move(of_energies, of_spread, tmp_path):
    kept = {name: of_energies.energies[name]["samples"] for name in of_energies.encoders}
    frames = _walk.animation(kept)
    assert len(frames) == 4
    assert np.asarray(frames[0]).shape == (18 + 188, 340, 3)
    assert (np.asarray(frames[0]) != np.asarray(frames[-1])).any()
    cosines = {name: of_spread.spreads[name]["similarity"] for name in of_spread.encoders}
    frames = _alike.animation(cosines)
    assert len(frames) == 5
    # what has collapsed is red all over, but for dots
    red, _, blue = np.asarray(frames[2])[60:180, 180:330].reshape(-1, 3).mean(0)
    assert red > blue + 20
    out = tmp_path / "similarities.gif"
    _panes.save(frames, out, 100)
    with Image.open(out) as film:
        assert film.n_frames == 5


def test_points_are_drawn_where_they_are():
    panes = _panes.Panes(["one"], "")
    panes.dots("one", np.array([[0.0, 5.0], [50.0, 0.0]]), "black", 2)
    image = np.asarray(panes.image)
    assert tuple(image[36 + 85, 85]) == (0, 0, 0)
    assert (image[36:] < 128).all(-1).sum() < 40


def test_a_point_has_no_film_strip():
    study = SimpleNamespace(
        methods=("probe",),
        encoders=(),
        filmed=("one",),
        design=SimpleNamespace(kind="plain", SHARED=True),
    )
    probe = SimpleNamespace(ROLE="probe", also="", films="")
    drawn = {}
    for kind, render in (("mixture", "points"), ("heat", "fields")):
        system = System.strict({"simulate": {"kind": kind}, "render": {"kind": render}})
        config = SimpleNamespace(
            studies={"s": study}, methods={"probe": probe}, systems={"one": system}
        )
        drawn[kind] = {figure.kind for _, figure in commands._of_evidence(config)}
    assert drawn["heat"] - drawn["mixture"] == {"filmstrip"}
