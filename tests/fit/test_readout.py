"""Laws of a field that is read off tokens by what was learnt on clips of other systems."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_oracle import sound

from physprobe.figures import law_readout
from physprobe.fit import stage
from physprobe.fit.designs import _of_field, readout
from physprobe.fit.methods import linear
from physprobe.store import results, writing
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, SIDE, CELLS = 4, 8, 4
LEARNT = {"blobs": (0.0, 1.0), "ripples": (-2.0, 2.0)}


def shown(field: np.ndarray) -> np.ndarray:
    """Tokens (clip, time, y, x, feature) that see cells through colours, each patch mixed alike."""
    colours = np.stack([np.sin(field), field**2, np.exp(-3 * field)], axis=-1)
    cells = np.stack([_of_field.split(clip, SIDE) for clip in colours])
    flat = cells.reshape(*cells.shape[:4], -1)
    return flat @ np.random.default_rng(5).normal(size=(flat.shape[-1], 60))


def smooth(rng: np.random.Generator, clips: int, times: int = 8) -> np.ndarray:
    """Fields (clip, time, row, column) from 0 to 1 of a few waves, with no law in time."""
    number, cell = np.arange(1, 4), np.arange(SIDE * CELLS) / (SIDE * CELLS)
    along = np.cos(2 * np.pi * (np.multiply.outer(cell, number) + rng.random(3)))
    waves = rng.normal(size=(clips, times, 3, 3))
    field = np.einsum("ctab,ya,xb->ctyx", waves, along, along)
    return (field - field.min()) / np.ptp(field)


def store(
    out: Path, values: dict[str, tuple[tuple[str, ...], np.ndarray]], **attrs: object
) -> Path:
    times = next(iter(values.values()))[1].shape[1]  # the first one has time there
    coords = {"time": (("time",), np.arange(times) + 0.5, {"units": "s"})}
    if "pooled" in values:
        coords["layer"] = (("layer",), np.array(["0"]), {})
    with writing.create(
        out / "zarr.json",
        variables={
            name: writing.Variable(dims, value.shape, "float32")
            for name, (dims, value) in values.items()
        },
        coords=coords, attrs=attrs, fingerprint={}, block=CLIPS,
    ) as writer:  # fmt: skip
        writer.fill(
            lambda block: {name: v[block].astype(np.float32) for name, (_, v) in values.items()}
        )
    return out / "zarr.json"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, world: Callable) -> dict[str, list[Path]]:
    """A damped wave, whose tokens alone are too coarse, and two systems of known fields."""
    folder, rng = tmp_path_factory.mktemp("readout"), np.random.default_rng(3)
    wave, _ = world("damped_wave", CLIPS)
    wave = wave[..., 0]
    whole = {"wave": (wave - wave.min()) / np.ptp(wave)}
    whole |= {name: smooth(rng, CLIPS, wave.shape[1]) for name in LEARNT}
    found: dict[str, list[Path]] = {"simulation": [], "embeddings": []}
    for name, field in whole.items():
        low, high = LEARNT.get(name, (0.0, 1.0))
        grid, tokens = ("clip", "time", "y", "x"), shown(field)
        values = {"u": (grid, low + (high - low) * field)}
        about = {"field": "u", "spec": {"kind": "wave"}}
        found["simulation"].append(store(folder / name / "simulation.zarr", values, **about))
        values = {
            "tokens_0": ((*grid, "feature"), tokens),
            "pooled": (("clip", "layer", "time", "feature"), tokens.mean((2, 3))[:, None]),
        }
        embedded = folder / name / "embeddings" / "net.zarr"
        found["embeddings"].append(store(embedded, values, spec={"kind": "x"}))
    return found


def test_what_bends_the_field_is_undone_within_cells_of_tokens():
    rng = np.random.default_rng(0)
    field = smooth(rng, 6)
    tokens = shown(field)
    learnt = _of_field.learn(lambda: zip(tokens[:4], field[:4], strict=True))
    apart = [np.abs(learnt.read(t)[..., 0] - f).std() for t, f in zip(tokens, field, strict=True)]
    assert max(apart[4:]) < 0.01 * field.std()
    assert 1 - learnt.straight.r2 < 0.01 * (1 - learnt.views.r2)
    assert learnt.clips == 4


def test_the_error_that_is_told_is_that_of_clips_it_has_not_seen():
    rng = np.random.default_rng(1)
    field = smooth(rng, 60)
    tokens = shown(field)
    tokens += 0.05 * tokens.std() * rng.normal(size=(len(tokens), 1, *tokens.shape[2:]))
    learnt = _of_field.learn(lambda: zip(tokens[:20], field[:20], strict=True))
    wrong = np.stack([learnt.read(t)[..., 0] for t in tokens[20:]]) - field[20:]
    power = (np.abs(np.fft.fft2(wrong, norm="forward")) ** 2).mean(1)
    ring, told = _of_field.periods(field.shape[2:]).ravel(), learnt.error
    level = np.stack([np.bincount(ring, each.ravel())[1:] for each in power])
    known = told[1:] * np.bincount(ring)[1:]
    assert 0.85 <= np.mean(level.sum(1) <= known.sum()) < 1
    np.testing.assert_allclose(level.mean(0)[:8] / known[:8], 0.75, atol=0.25)


def test_cells_are_put_back_where_they_were():
    field = np.arange(2 * 8 * 8 * 3.0).reshape(2, 8, 8, 3)
    cells = _of_field.split(field, 4)
    assert cells.shape == (2, 4, 4, 4, 3)
    np.testing.assert_array_equal(cells[1, 2, 3, :, 0], field[1, 4:6, 6:8, 0].ravel())
    np.testing.assert_array_equal(_of_field.joined(cells), field)


def test_one_clip_is_too_few():
    field = smooth(np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match=r"1 clip, expected 2 at least"):
        _of_field.learn(lambda: zip(shown(field), field, strict=True))


@pytest.fixture(scope="module")
def found(places: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Laws without a readout, and with one."""
    out = tmp_path_factory.mktemp("laws_read") / "net.laws.json"
    design = readout.Spec(learnt=tuple(LEARNT), ranges=LEARNT, counts=(0, 6), cells=CELLS)
    method = linear.Spec(
        layer="0", clips=2, modes=24, components=4, nulls=10, shuffles=199, bootstraps=100, band=5,
        controls=1, shown=0,
    )  # fmt: skip
    stage.run(**places, out=out, spec=method.canonical(), design=design.canonical())
    return results.read(out, "readout")


def test_the_law_is_read_off_by_what_was_learnt_elsewhere(found):
    values = {
        (row["system"], row["count"], row["metric"]): row["value"]
        for row in found["rows"]
        if row["metric"] in ("right", "wrong")
    }
    assert values["wave", 6, "right"] == values["all", 6, "right"] >= 0.75
    assert values["wave", 6, "wrong"] == 0
    assert values["wave", 0, "right"] < values["wave", 6, "right"]
    assert found["system"] == "wave" and found["systems"] == ["wave", *LEARNT]


def test_waves_shorter_than_tokens_are_read(found):
    waves = {row["periods"]: row["value"] for row in found["rows"] if row["metric"] == "coherence"}
    assert waves[1] > 0.99 and waves[SIDE // 2 + 1] > 0.9


def test_curve_is_drawn(found, tmp_path):
    out = tmp_path / "net.laws.json"
    head = {name: found[name] for name in ("system", "encoder", "method")}
    results.write(
        out, schema=readout.SCHEMA, spec={"bootstraps": 100}, of=head, rows=found["rows"],
        provenance={}, readings=found["readings"],
    )  # fmt: skip
    fits = {"laws_read": {"laws": Fits.read([out])}}
    study = Evidence(("net",), (), {"net": "net"}, place="laws_read", fits=fits).at()
    frame = law_readout.frame(study)
    assert set(frame["metric"]) == {"right", "wrong", "coherence"}
    figure = law_readout.figure(frame)
    sound(figure)
    drawn = np.asarray(figure.axes[0].lines[0].get_ydata(), float)
    value = frame[frame["metric"].eq("right")].sort_values("count")["value"]
    np.testing.assert_allclose(drawn, 100 * value.to_numpy(float))
    # of the field, the first one, no waves are told: the other keeps its colour
    field = frame[frame["metric"] != "coherence"].assign(encoder="field", label="field")
    axes = law_readout.figure(pd.concat([field, frame])).axes
    assert axes[2].lines[0].get_color() == axes[0].lines[-1].get_color()
    assert axes[0].lines[0].get_color() != axes[0].lines[-1].get_color()


@pytest.mark.parametrize(
    ("counts", "message"), [((6, 4), "expected to ascend"), ((1,), "2 or more"), ((), "ascend")]
)
def test_numbers_of_clips_ascend(counts, message):
    with pytest.raises(ValueError, match=message):
        readout.Spec(learnt=("blobs",), counts=counts)


def test_more_clips_than_there_are_is_refused(places, tmp_path):
    design = readout.Spec(learnt=tuple(LEARNT), ranges=LEARNT, counts=(99,))
    with pytest.raises(ValueError, match=r"counts: 99, but blobs, ripples have 8 clips\. Hint"):
        stage.run(
            **places, out=tmp_path / "none.json", design=design.canonical(),
            spec=linear.Spec(layer="0").canonical(),
        )  # fmt: skip
