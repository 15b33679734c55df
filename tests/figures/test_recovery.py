"""Recovery and series as figures: every encoder and condition is there, published values beside."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from figure_oracle import sound

from physprobe.falsify import recovers
from physprobe.figures import _phase, recovery, series
from physprobe.fit.methods import recovery as method
from physprobe.fit.section import SCHEMAS, Given
from physprobe.statistics import splits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

SIGMAS = (0.0, 4.0, 10.0)
SPEC = method.Spec(
    targets={"signal": ("s0", "s1"), "distractor": ("d0",)}, bootstraps=300, shown=4.0
)


def given(noise, draws=6):
    """A latent that holds both parts, the signal with more and more noise."""
    rng = np.random.default_rng(1)
    count, steps = draws * len(SIGMAS) * 4, 400
    states = {name: rng.standard_normal((count, steps)) for name in ("s0", "s1", "d0")}
    labels = {
        "draw": np.repeat(np.arange(draws), 4 * len(SIGMAS)),
        "sigma": np.tile(np.repeat(SIGMAS, 4), draws),
    }
    folds = splits.nested(
        np.arange(count), inner=2, declared=np.tile(["train"] * 3 + ["test"], count // 4)
    )
    ahead = np.stack([np.roll(v, -1, axis=1) for v in states.values()], -1)
    sizes = noise * labels["sigma"][:, None, None] * rng.standard_normal(ahead.shape)
    sizes[..., 2] = 0.01
    return Given([ahead + sizes], ["latent"], labels, folds, states=states)


@pytest.fixture(scope="module")
def study():
    found = {}
    for name, noise in (("jepa", 0.02), ("vae", 1.0), ("pca", 0.2)):
        rows, blocks = method.fit(SPEC, given(noise))
        rows = [SCHEMAS["recovery"].row(**{**row, "encoder": name}) for row in rows]
        found[name] = {
            "schema": "physprobe/recovery/2",
            "spec": SPEC.dump(),
            "rows": rows,
            **blocks,
        }
    system = xr.Dataset(attrs={"spec": {"paths": "contiguous", "dynamics": "contraction"}})
    recipes = {"jepa": "linear_jepa", "vae": "linear_vae", "pca": None}
    return Evidence(
        ("jepa", "vae"), ("pca",), {}, place="tv", bootstraps=300,
        fits={"tv": {"recovery": Fits(found)}}, simulations={"tv": system},
        embeddings={
            ("tv", n): xr.Dataset(attrs={"architecture": {"recipe": r}}) for n, r in recipes.items()
        },
    ).at()  # fmt: skip


def test_recovery_shows_every_condition_and_what_was_published(study):
    frame = recovery.frame(study)
    scored = frame[frame["metric"] == "r2"]
    assert len(scored) == 3 * 2 * len(SIGMAS)
    own = scored[(scored["encoder"] == "jepa") & (scored["target"] == "signal")].set_index("part")
    assert own.published.tolist() == [0.819, 0.799, 0.804]
    # ours are about 1 / (1 + (0.02 sigma)^2): 1, 0.994 and 0.96, whatever the draw
    assert set(own.verdict) == {"not reproduced"}
    loud = scored[(scored["encoder"] == "vae") & (scored["target"] == "signal")].set_index("part")
    assert loud.verdict[10.0] == "reproduced"
    assert scored[scored["encoder"] == "pca"].published.isna().all()
    sound(recovery.figure(frame))


def test_series_shows_the_condition_that_was_kept(study):
    frame = series.frame(study)
    assert frame.groupby("encoder").size().to_dict() == {"jepa": 150, "vae": 150, "pca": 150}
    own = frame[frame["encoder"] == "jepa"]
    assert np.corrcoef(own["truth"], own["value"])[0, 1] > 0.99
    sound(series.figure(frame))


def line(study, encoder, **fields):
    spec = recovers.Spec(**{"statement": "", "target": "signal", "lead": 1, **fields})
    return recovers.judge(spec, study, (encoder,)).lines[encoder]


def test_claims_by_hand(study):
    """R2 of the signal is about 1 / (1 + (noise x sigma)^2)."""
    kept = line(study, "jepa", at=(0.0, 4.0, 10.0), margin=0.9)
    assert kept["verdict"] == "supported"
    assert kept["value"] == pytest.approx(1 / 1.04, abs=0.01)
    lost = line(study, "vae", at=(4.0, 10.0), at_most=0.2)
    assert lost["verdict"] == "supported"
    assert lost["value"] == pytest.approx(0.2 - 1 / 17, abs=0.05)
    assert line(study, "vae", at=(0.0, 4.0), at_most=0.2)["verdict"] == "refuted"
    assert line(study, "vae", at=(4.0,), less="distractor")["verdict"] == "refuted"
    assert line(study, "jepa", at=(4.0,), than="pca")["verdict"] == "supported"
    # of the same step the latent holds nothing at all
    assert line(study, "jepa", at=(4.0,), than="pca", lead=0)["verdict"] != "supported"
    assert line(study, "jepa", at=(5.0,))["verdict"] == "cannot tell"
    assert line(study, "jepa", at=(4.0,), target="house")["verdict"] == "cannot tell"


def test_phase_moves_with_the_signal(study):
    kept = {name: _phase.series(study.recoveries[name]) for name in study.encoders}
    frames = _phase.animation(kept, "sigma 4")
    assert frames.shape == (150, 18 + 198, 360, 3)
    truth, read = kept["jepa"]
    assert np.abs(truth - read).max() < 0.5
    assert (frames[0] != frames[40]).any()
    # the last point of the truth, where nothing that is read lies over it
    reach = 1.1 * max(np.abs(part).max() for both in kept.values() for part in both)
    time = int(np.abs(kept["vae"][0] - kept["vae"][1]).sum(1).argmax())
    x, y = kept["vae"][0][time] / reach
    assert tuple(frames[time][int(36 + 90 * (1 - y)), int(180 + 90 * (1 + x))]) == _phase.TRUE
    assert _phase.series({"series": {}}) is None


def test_under_one_condition_latents_of_a_kind_are_a_curve_by_their_width(study):
    whole = recovery.frame(study)
    one = whole[whole["part"] == 4.0]
    wide = pd.concat(
        [
            one[one["encoder"] == name].assign(encoder=f"{name}_{width}", width=width, latent=name)
            for name in ("jepa", "vae", "pca")
            for width in (2, 4, 8)
        ]
    )
    figure = recovery.figure(wide)
    sound(figure)
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(lines) == 3 and "numbers in the latent" in figure.axes[0].get_xlabel()
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["2", "4", "8"]
