"""Trained sweep: the optimiser is the published one, and its selection lifts noise."""

import numpy as np
import pytest
import torch

from physprobe.fit.methods import ridge
from physprobe.fit.methods.trained_sweep import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import splits

CLIPS, FEATURES = 60, 12


def world(seed=0, layers=2, columns=1):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(layers, CLIPS, 1, FEATURES)) + 3
    label = rng.normal(size=(CLIPS, columns)) * 2 + 5
    features[1] += (label @ rng.normal(size=(columns, FEATURES)))[:, None]
    return features, label[:, 0] if columns == 1 else label


def spec(**more):
    return Spec(**{"targets": ("a",), "samples": ("clip",), "bootstraps": 100, **more})


def find(rows, **keys):
    (row,) = [r for r in rows if all(r.get(k) == v for k, v in keys.items())]
    return row


def by_hand(x, y, fold, rate, decay, epochs, patience, seed):
    """One setting in one fold by ``torch.optim.Adam``: epoch and predictions that are kept."""
    columns = y.reshape(CLIPS, -1)
    mean, scale = x[fold.train].mean(0), x[fold.train].std(0)
    known, asked = (torch.tensor((x[c] - mean) / scale).float() for c in (fold.train, fold.test))
    middle, width = columns[fold.train].mean(0), columns[fold.train].std(0)
    truth, held = (
        torch.tensor((columns[c] - middle) / width).float() for c in (fold.train, fold.test)
    )
    model = torch.nn.Linear(FEATURES, columns.shape[1])
    generator = torch.Generator().manual_seed(seed)
    reach = FEATURES**-0.5
    first = reach * (2 * torch.rand(FEATURES + 1, columns.shape[1], generator=generator) - 1)
    with torch.no_grad():
        model.weight.copy_(first[:-1].T)
        model.bias.copy_(first[-1])
    # torch.optim.Adam couples its weight decay, as the published one does
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, weight_decay=decay)
    best, waited, kept = np.inf, 0, None
    for epoch in range(1, epochs + 1):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(model(known), truth).backward()
        optimiser.step()
        with torch.no_grad():
            guess = model(asked)
        error = float(((guess - held) ** 2).sum())
        if error < best:
            best, waited, kept = error, 0, (epoch, guess.numpy() * width + middle)
        else:
            waited += 1
            if waited >= patience:
                break
    return kept


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("rate", "decay"), [(5e-3, 0.1), (5e-2, 0.8)])
def test_each_setting_is_adam_with_early_stopping(columns, rate, decay):
    features, label = world(columns=columns)
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=2)
    asked = spec(rates=(rate,), decays=(decay,), epochs=150, patience=10, seed=3)
    _, block = probe(asked, features, ["0", "1"], {"a": label}, folds)
    held = find(block["held_out"], layer="1")["prediction"].reshape(CLIPS, -1)
    for number, fold in enumerate(folds):
        expected = by_hand(features[1][:, 0], label, fold, rate, decay, 150, 10, 3)
        chosen = find(block["choices"], layer="1", fold=number)
        assert abs(chosen["epoch"] - expected[0]) <= 1
        np.testing.assert_allclose(held[fold.test], expected[1], atol=2e-3)


def test_the_best_setting_on_the_held_out_fold_is_taken():
    features, label = world()
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=2)
    grid = {"rates": (1e-3, 5e-2), "decays": (0.01, 0.8), "epochs": 100}
    _, block = probe(spec(**grid), features, ["0", "1"], {"a": label}, folds)
    error = np.array(find(block["held_out"], layer="1")["squared_error"])
    alone = []
    for rate in grid["rates"]:
        for decay in grid["decays"]:
            asked = spec(rates=(rate,), decays=(decay,), epochs=100)
            _, one = probe(asked, features, ["0", "1"], {"a": label}, folds)
            alone.append(find(one["held_out"], layer="1")["squared_error"])
    for number, fold in enumerate(folds):
        each = [np.array(errors)[fold.test].sum() for errors in alone]
        assert error[fold.test].sum() == pytest.approx(min(each), rel=1e-4)
        chosen = find(block["choices"], layer="1", fold=number)
        place = int(np.argmin(each))
        found = chosen["learning_rate"], chosen["weight_decay"]
        assert found == (grid["rates"][place // 2], grid["decays"][place % 2])
        assert chosen["edge_hit"]


def test_selection_lifts_the_score_of_noise():
    """Chance level of the published selection, beside one setting alone and nested ridge."""
    rng = np.random.default_rng(5)
    targets = {f"t{number}": rng.normal(size=CLIPS) for number in range(30)}
    noise = rng.normal(size=(1, CLIPS, 1, 40))
    folds = splits.nested(np.arange(CLIPS))
    asked = {"targets": tuple(targets), "samples": ("clip",), "bootstraps": 100}

    def chance(kind, spec):
        rows, _ = kind(spec, noise, ["0"], targets, folds)
        return np.array([r["value"] for r in rows if (r["metric"], r["layer"]) == ("r2", "0")])

    swept = chance(probe, Spec(**asked))
    alone = chance(probe, Spec(**asked, rates=(1e-3,), decays=(0.1,)))
    nested = chance(probe, ridge.Spec(**asked, permutations=1))
    assert (swept >= alone - 1e-6).all() and swept.mean() > alone.mean() + 0.05
    assert np.mean(swept > 0) > 0.1 and np.mean(nested > 0) < 0.1


def test_layers_in_parts_are_those_trained_together(monkeypatch):
    features, label = world(layers=3)
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=2)
    asked, names = spec(epochs=30), ["0", "1", "2"]
    whole, _ = probe(asked, features, names, {"a": label}, folds)
    monkeypatch.setattr("physprobe.fit.methods._sweep.ROOM", 1)
    parts, _ = probe(asked, features, names, {"a": label}, folds)
    for one, other in zip(whole, parts, strict=True):
        assert one["value"] == pytest.approx(other["value"], abs=1e-4)


def test_rows_say_what_they_are_and_components_are_refused():
    features, label = world()
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=2)
    targets = {"a": label, "flat": np.ones(CLIPS)}
    rows, _ = probe(spec(epochs=20, permutations=4), features, ["0", "1"], targets, folds)
    row = find(rows, target="a", layer="selected", metric="r2")
    assert row["note"].startswith("setting and epoch chosen on the fold that is reported; layer 1")
    assert row["null_q95"] < row["value"] and row["p"] == pytest.approx(1 / 5)
    assert "constant" in find(rows, target="flat", layer="0", metric="r2")["note"]
    assert all(SCHEMAS["probe"].row(**row)["note"] or row["value"] is not None for row in rows)
    without, _ = probe(spec(epochs=20), features, ["0", "1"], targets, folds)
    assert find(without, target="a", layer="1", metric="r2").get("p") is None
    with pytest.raises(ValueError, match="by ridge"):
        probe(spec(), features, ["0", "1"], targets, folds, components=2)
