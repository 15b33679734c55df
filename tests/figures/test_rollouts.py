"""Rollouts and states as figures: every model and score is there, with its interval."""

from dataclasses import replace

import numpy as np
import pandas as pd
from figure_oracle import sound

from physprobe.figures import rollouts, states
from physprobe.fit.methods import rollout, states_mlp
from physprobe.fit.methods import states as decoded
from physprobe.fit.section import SCHEMAS, Given
from physprobe.statistics import splits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, TIMES, DT = 24, 16, 0.1


def given(noise: float, seed: int) -> Given:
    """An angle that turns, seen with noise; its predictor knows how."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(1, 3, (CLIPS, 1)) * rng.choice([-1, 1], (CLIPS, 1))
    angle = rng.uniform(0, 6, (CLIPS, 1)) + speed * DT * np.arange(TIMES)
    whole = np.broadcast_to(speed, angle.shape)
    latent = np.stack([np.sin(angle), np.cos(angle), whole], -1)

    def advance(rows: np.ndarray) -> np.ndarray:
        turned = np.arctan2(rows[:, 0], rows[:, 1]) + rows[:, 2] * DT
        return np.stack([np.sin(turned), np.cos(turned), rows[:, 2]], -1)

    return Given(
        [latent + noise * rng.normal(size=latent.shape)], ["latent"],
        {"lyapunov": rng.uniform(0.5, 2, CLIPS)}, splits.nested(np.arange(CLIPS), outer=3),
        times=(np.arange(TIMES) * DT).tolist(), advance=advance,
        states={"theta1": angle, "omega1": whole, "kinetic": whole**2},
    )  # fmt: skip


def evidence(schema: str, spec: object, method: object) -> Evidence:
    results = {}
    for name, noise in (("jepa", 0.02), ("autoencoder", 0.2), ("pixels", 0.6)):
        rows, blocks = method.fit(spec, given(noise, 3))
        rows = [SCHEMAS[schema].row(**{**row, "encoder": name}) for row in rows]
        results[name] = {
            "schema": f"physprobe/{schema}/2", "spec": spec.dump(), "rows": rows, **blocks,
        }  # fmt: skip
    fits = {"pendulum": {schema: Fits(results)}}
    return Evidence(("jepa", "autoencoder"), ("pixels",), {}, place="pendulum", fits=fits).at()


def test_rollouts_show_every_model_of_every_encoder():
    spec = rollout.Spec(angles=("theta1",), energy=("kinetic",), horizons=(1, 4, 8), bootstraps=100)
    frame = rollouts.frame(evidence("rollout", spec, rollout))
    assert set(frame["encoder"]) == {"jepa", "autoencoder", "pixels"}
    far = {"spectrum_distance", "energy_distance"}
    assert set(frame["metric"]) == {"angle_error", "valid_time", "valid_lyapunov_times"} | far
    found = rollouts.figure(frame)
    sound(found)
    *errors, valid, spectra, energies = found.axes
    assert [ax.get_title(loc="left") for ax in errors] == ["jepa", "autoencoder", "pixels"]
    assert len([line for line in errors[0].get_lines() if len(line.get_xdata()) == 3]) == 6
    assert energies.get_xscale() == "log" and "spectrum" in spectra.get_xlabel()
    ticks = [line for line in spectra.get_lines() if line.get_marker() == "|"]
    assert len(ticks) == 3 * 5, "a null beside each distance"
    assert "Lyapunov" in valid.get_xlabel()
    assert [text.get_text() for text in valid.get_yticklabels()] == [
        "jepa",
        "autoencoder",
        "pixels",
    ]


def test_without_a_pace_valid_times_are_in_seconds():
    spec = rollout.Spec(angles=("theta1",), energy=(), horizons=(1, 4), bootstraps=100, pace="none")
    found = rollouts.figure(rollouts.frame(evidence("rollout", spec, rollout)))
    sound(found)
    labels = [ax.get_xlabel() for ax in found.axes[3:]]
    assert labels == ["valid time [s]", "apart in power spectrum"], "no energy, no distance of it"


def test_states_show_every_encoder_for_each_state():
    spec = decoded.Spec(
        targets=("sincos_theta1", "omega1", "kinetic", "theta1"), permutations=19, bootstraps=100
    )
    frame = states.frame(evidence("state", spec, decoded))
    assert isinstance(frame, pd.DataFrame) and len(frame) == 12
    found = states.figure(frame)
    sound(found)
    titles = [ax.get_title(loc="left") for ax in found.axes]
    assert titles == ["theta1 (sine and cosine)", "omega1", "kinetic", "theta1"]


def test_a_linear_probe_and_an_mlp_stand_beside_each_other():
    asked = {"targets": ("omega1",), "permutations": 20, "bootstraps": 100}
    linear = evidence("state", decoded.Spec(**asked), decoded)
    small = evidence(
        "state", states_mlp.Spec(**asked, epochs=12, batch=16, widths=(8,)), states_mlp
    )
    fits = {"pendulum": {"of_states": linear.states, "by_mlp": small.states}}
    for method, found in fits["pendulum"].items():
        for result in found.values():
            for line in result["rows"]:
                line["method"] = method
    both = replace(linear, fits=fits).at()
    frame = states.frame(both)
    assert list(frame.groupby("encoder")["probe"].unique().iloc[0]) == ["states", "states_mlp"]
    found = states.figure(frame)
    sound(found)
    marks = found.axes[0].get_lines()
    assert sum(line.get_markerfacecolor() == "white" for line in marks) == 3
    labels = [text.get_text() for text in found.legends[0].get_texts()]
    assert labels == ["linear probe", "small MLP", "null, 95 %"]
