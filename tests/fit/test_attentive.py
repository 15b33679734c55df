"""Attentive probes: one program equals readouts one by one, finds what means hide, leaks not."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.nn import functional
from transformers import VJEPA2Config
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2AttentivePooler

from physprobe.fit.methods import (
    _attention,
    _class_rows,
    _cuts,
    _readout,
    _samples,
    _trained,
    attentive,
    attentive_deep,
    ridge,
)
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods.attentive import Spec
from physprobe.fit.probe import probe, tallies
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import ridge as statistics_ridge
from physprobe.statistics import seeds, splits
from physprobe.store import scratch

CLIPS, TOKENS, FEATURES = 120, 6, 12
PARTS, MEMBERS, OUTPUTS, WIDTH, HEADS = 3, 4, 2, 8, 4
FOLDS = splits.nested(np.arange(CLIPS), outer=3, inner=3)
PAIRED = splits.nested(np.arange(CLIPS) // 2, outer=3, inner=3)
QUICK = {"rates": (0.1, 0.3), "epochs": (0, 10, 20, 40), "permutations": 4, "bootstraps": 100}


def drawn(model, outputs=OUTPUTS, seed=0):
    """Parameters (part, member, ...) that are all different."""
    rng = np.random.default_rng(seed)
    first = model.first(FEATURES, outputs, rng)
    return {
        name: torch.tensor(value + 0.3 * rng.normal(size=(PARTS, MEMBERS, *value.shape)))
        .float()
        .requires_grad_()
        for name, value in first.items()
    }


def one_query(parameters, tokens):
    """A readout by ``nn.MultiheadAttention`` of one head whose maps change nothing."""
    attention = torch.nn.MultiheadAttention(FEATURES, 1, bias=False, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.eye(FEATURES).repeat(3, 1))
        attention.out_proj.weight.copy_(torch.eye(FEATURES))
    query = parameters["query"].expand(len(tokens), 1, -1)
    pooled, _ = attention(query, tokens, tokens)
    weight, intercept = parameters["readout"][:, :-1], parameters["readout"][:, -1]
    return functional.linear(pooled[:, 0], weight * FEATURES**-0.5, intercept)


def published(parameters, tokens):
    """A readout by the attentive pooler of transformers' V-JEPA 2."""
    pooler = VJEPA2AttentivePooler(
        VJEPA2Config(hidden_size=WIDTH, num_attention_heads=HEADS, num_pooler_layers=2)
    )
    theirs = {name: p for name, p in parameters.items() if name.split(".")[0] in POOLER}
    theirs["query_tokens"] = parameters["query_tokens"][None, None]
    mapped = functional.linear(tokens, parameters["width.weight"], parameters["width.bias"])
    pooled = torch.func.functional_call(pooler, theirs, (mapped,), strict=True)
    return functional.linear(pooled, parameters["readout.weight"], parameters["readout.bias"])


POOLER = {"query_tokens", "self_attention_layers", "cross_attention_layer"}
MODELS = {
    "query": (_attention.Query(), one_query),
    "deep": (_attention.Deep(3, HEADS, WIDTH), published),
}


@pytest.mark.parametrize("name", MODELS)
def test_outputs_and_gradients_are_those_of_plain_modules_one_by_one(name):
    model, alone = MODELS[name]
    parameters = drawn(model)
    rng = np.random.default_rng(1)
    tokens = torch.tensor(rng.normal(size=(PARTS, 5, TOKENS, FEATURES))).float()
    weight = torch.tensor(rng.normal(size=(PARTS, 5, MEMBERS, OUTPUTS))).float()
    together = model(parameters, tokens)
    assert together.shape == weight.shape
    gradients = torch.autograd.grad((together * weight).sum(), list(parameters.values()))
    for part in range(PARTS):
        for member in range(MEMBERS):
            own = {key: p[part, member].detach().requires_grad_() for key, p in parameters.items()}
            found = alone(own, tokens[part])
            torch.testing.assert_close(together[part, :, member], found, atol=1e-5, rtol=1e-5)
            loss = (found * weight[part, :, member]).sum()
            for mine, theirs in zip(
                gradients, torch.autograd.grad(loss, list(own.values())), strict=True
            ):
                torch.testing.assert_close(mine[part, member], theirs, atol=1e-5, rtol=1e-4)


def planted(kind="class", seed=0):
    """Tokens whose mean over a clip is zero; one of them is marked, and tells the label."""
    rng = np.random.default_rng(seed)
    label = np.arange(CLIPS) % 2 if kind == "class" else rng.normal(size=CLIPS)
    sign = 2.0 * label - 1 if kind == "class" else label
    tokens = rng.normal(size=(CLIPS, TOKENS, FEATURES))
    place = rng.integers(TOKENS, size=CLIPS)
    there = np.arange(TOKENS) == place[:, None]
    tokens[there, 0] += 4.0
    tokens[there, 1] += 2.0 * sign
    tokens -= np.where(there, 0.0, 1.0 / (TOKENS - 1))[..., None] * tokens.sum(1, keepdims=True)
    # what is left of the mean knows nothing
    return tokens + 0.1 * rng.normal(size=(CLIPS, 1, FEATURES)), label


def run(features, label, kind="class", module=None, folds=FOLDS, **more):
    spec = (Spec if module is None else module.Spec)(
        **{"targets": ("a",), "readout": kind, **QUICK, **more}
    )
    names = [str(number) for number in range(len(features))]
    return probe(spec, features, names, {"a": label}, folds)


def score(rows, metric, layer="selected"):
    (row,) = [r for r in rows if (r["metric"], r["layer"]) == (metric, layer)]
    return row


def by_hand(tokens, label, fold, rate, decay, epochs, seed):
    """One fit of a number: AdamW by its formulas, gradients by the plain modules."""
    train = tokens[fold.train].reshape(-1, FEATURES)
    shown = torch.tensor((tokens - train.mean(0)) / train.std(0)).float()
    mean, deviation = label[fold.train].mean(), label[fold.train].std()
    asked = torch.tensor((label - mean) / deviation).float()
    first = _attention.Query().first(FEATURES, 1, seeds.rng("first weights", seed))
    own = {name: torch.tensor(value).float().requires_grad_() for name, value in first.items()}
    momentum = {name: torch.zeros_like(p) for name, p in own.items()}
    square = dict.fromkeys(own, 0.0)
    for step in range(1, epochs + 1):
        residual = one_query(own, shown[fold.train])[:, 0] - asked[fold.train]
        gradients = torch.autograd.grad((residual**2).mean(), list(own.values()))
        for (name, p), gradient in zip(own.items(), gradients, strict=True):
            momentum[name] = 0.9 * momentum[name] + 0.1 * gradient
            square[name] = 0.999 * square[name] + 0.001 * (gradient**2).mean()
            size = (square[name] / (1 - 0.999**step)) ** 0.5 + 1e-5
            with torch.no_grad():
                (p[:, :-1] if name == "readout" else p).mul_(1 - rate * decay)
                p -= rate * momentum[name] / (1 - 0.9**step) / size
    with torch.no_grad():
        return one_query(own, shown[fold.test])[:, 0].numpy() * deviation + mean


def test_each_fit_is_adamw_on_the_training_clips():
    tokens, label = planted("number")
    _, block = run([tokens], label, "number", rates=(0.03,), decays=(0.5,), epochs=(25,), seed=3)
    held = np.array(next(b for b in block["held_out"] if b["layer"] == "0")["prediction"])
    for fold in FOLDS:
        expected = by_hand(tokens, label, fold, 0.03, 0.5, 25, 3)
        np.testing.assert_allclose(held[fold.test], expected, atol=2e-4)


def test_a_deep_fit_is_torchs_adamw_in_batches():
    tokens, label = planted("number")
    model = _attention.Deep(2, 2, None)
    labels = Numbers(label[:, None, None], {"a": 1})
    plan, readout = _trained.Trained(model, [1e-3], [0.01], [3], 16, 5), _readout.of(labels)
    (tally,) = tallies(plan, labels, _samples.pooled(["time"], [tokens], ["0"]), FOLDS)
    fold = FOLDS[1]
    shown = tokens.astype(np.float32)
    part = _cuts.Cut(0, 1, None, fold, shown, fold.train, fold.test, readout)
    first = model.first(FEATURES, 1, seeds.rng("first weights", 5))
    own = {name: torch.tensor(v).float()[None, None].requires_grad_() for name, v in first.items()}
    optimiser = torch.optim.AdamW(own.values(), lr=1e-3, weight_decay=0.01)
    asked = torch.tensor(readout.asked(fold.train)[:, 0, 0])
    for epoch in range(1, 4):
        batches = part.batches(16, 5, epoch)
        assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(len(fold.train)))
        assert max(map(len, batches)) <= 16
        for batch in batches:
            clips = fold.train[batch]
            outputs = model(own, torch.tensor(part.shown(clips))[None])[0, :, 0, 0]
            optimiser.zero_grad()
            functional.mse_loss(outputs, asked[clips]).backward()
            optimiser.step()
    with torch.no_grad():
        outputs = model(own, torch.tensor(part.shown(fold.test))[None])[0, :, 0, 0].numpy()
    expected = outputs * label[fold.train].std() + label[fold.train].mean()
    np.testing.assert_allclose(tally.layers[0][1].predicted[:, 0, 0], expected, atol=2e-4)


@pytest.mark.parametrize(
    ("kind", "metric", "least"), [("class", "accuracy", 0.75), ("number", "r2", 0.3)]
)
def test_it_finds_what_the_mean_over_tokens_hides(kind, metric, least):
    tokens, label = planted(kind)
    noise = np.random.default_rng(7).normal(size=tokens.shape)
    rows, block = run([noise, tokens], label, kind)
    found = score(rows, metric)
    assert found["value"] > least and found["note"] == "layer 1 in 3 of the folds"
    assert found["p"] == pytest.approx(1 / 5) and found["null_q95"] < found["ci_low"]
    spec = ridge.Spec(targets=("a",), samples=("clip",), permutations=1, bootstraps=100)
    blind, _ = probe(spec, [tokens], ["0"], {"a": label.astype(float)}, FOLDS)
    assert score(blind, "r2")["value"] < 0.05
    chosen = [c for c in block["choices"] if c["layer"] == "1"]
    assert all(c["epochs"] > 0 and c["scaling"] == "feature" for c in chosen)
    assert all(SCHEMAS["probe"].row(**row)["note"] or row["value"] is not None for row in rows)


def test_noise_is_left_at_chance():
    """Nothing is chosen on the reported fold: the best of many settings would be above it."""
    r2, right = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(2, CLIPS, TOKENS, FEATURES))
        rows, _ = run(noise, rng.normal(size=CLIPS), "number", permutations=0)
        r2.append(score(rows, "r2")["value"])
        rows, _ = run(noise, np.arange(CLIPS) % 2, permutations=0, folds=PAIRED)
        right.append(score(rows, "accuracy")["value"])
    assert np.mean(r2) < 0 and np.mean(np.array(r2) > 0.02) < 0.2
    assert np.mean(right) == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(8 * CLIPS))


def test_a_setting_is_chosen_by_the_inner_folds_alone():
    tokens, label = planted("number")
    rng = np.random.default_rng(3)
    _, block = run([tokens], label, "number", permutations=0)
    changed, fold = label.copy(), FOLDS[0]
    changed[fold.test] = 10 * rng.normal(size=len(fold.test))
    _, other = run([tokens], changed, "number", permutations=0)
    mine, theirs = (
        next(c for c in b["choices"] if c["fold"] == 0 and c["layer"] == "0")
        for b in (block, other)
    )
    assert mine == theirs
    held = [np.array(b["held_out"][0]["prediction"])[fold.test] for b in (block, other)]
    np.testing.assert_array_equal(*held)


def test_the_null_is_what_permuted_labels_give():
    tokens, label = planted()
    rows, _ = run([tokens], label, permutations=3)

    labels = _class_rows.shuffled(label, np.arange(CLIPS), 3, seed=0)
    given = [
        score(run([tokens], labels[:, column], permutations=0)[0], "accuracy")["value"]
        for column in (1, 2, 3)
    ]
    assert score(rows, "accuracy")["null_mean"] == pytest.approx(np.mean(given), abs=1e-6)
    alone, _ = run([tokens], label, permutations=0)
    assert score(alone, "accuracy").get("p") is None
    assert score(alone, "accuracy")["value"] == pytest.approx(score(rows, "accuracy")["value"])


@pytest.mark.parametrize("module", [attentive, attentive_deep])
def test_movies_that_end_alike_are_exactly_at_chance(module):
    """Last tokens of a scene's possible movies are, as a set, those of its impossible ones."""
    scenes = 20
    scene, possible = np.repeat(np.arange(scenes), 4), np.tile([1, 1, 0, 0], scenes)
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(scenes * 4, 2, 2, 2, 8))
    ends = rng.normal(size=(scenes, 2, 2, 2, 8))
    tokens[:, -1] = ends[scene, np.tile([0, 1, 1, 0], scenes)]
    small = (
        {"width": 4, "heads": 2, "depth": 2, "rates": (1e-3,), "epochs": (1, 3)}
        if module is attentive_deep
        else {}
    )
    spec = module.Spec(
        **{"targets": ("possible",), "readout": "class", "samples": ("space_last",), **QUICK,
           **small},
    )  # fmt: skip
    folds = splits.nested(scene, outer=4, inner=3)
    rows, _ = probe(
        spec, [tokens.mean((2, 3))], ["0"], {"possible": possible}, folds,
        groups=scene, tokens={"0": tokens},
    )  # fmt: skip
    row = score(rows, "relative_accuracy")
    assert (row["value"], row["ci_low"], row["ci_high"]) == (0.5, 0.5, 0.5)
    assert score(rows, "auc")["value"] == pytest.approx(0.5, abs=1e-9)


def test_targets_of_several_columns_and_several_classes():
    tokens, label = planted("number")
    angle = np.stack([label, 0.5 * label], -1)
    targets = {"flat": np.ones(CLIPS), "pair": angle, "one": label}
    spec = Spec(targets=tuple(targets), **QUICK)
    rows, block = probe(spec, [tokens], ["0"], targets, FOLDS)
    row = {r["target"]: r for r in rows if (r["metric"], r["layer"]) == ("r2", "0")}
    assert "constant" in row["flat"]["note"]
    assert row["pair"]["value"] > 0.3 and row["one"]["value"] > 0.3
    alone, _ = run([tokens], label, "number")
    assert row["one"]["value"] == pytest.approx(score(alone, "r2", "0")["value"], abs=1e-4)
    held = {b["target"]: b for b in block["held_out"]}
    error = ((np.array(held["pair"]["prediction"]) - angle) ** 2).sum(1)
    np.testing.assert_allclose(held["pair"]["squared_error"], error, rtol=1e-6)
    three = np.digitize(label, [-0.4, 0.4])
    rows, block = run([tokens], three)
    assert score(rows, "accuracy")["value"] > 0.45
    total = np.exp(block["held_out"][0]["log_probability"]).sum(1)
    np.testing.assert_allclose(total, 1.0)


def test_layers_labels_and_folds_in_shares_are_those_trained_together(monkeypatch):
    tokens, label = planted()
    noise = np.random.default_rng(7).normal(size=tokens.shape)
    whole, _ = run([noise, tokens], label)
    monkeypatch.setattr(_trained, "ROOM", 1)
    shared, _ = run([noise, tokens], label)
    for one, other in zip(whole, shared, strict=True):
        assert one["value"] == pytest.approx(other["value"], abs=1e-3)


def test_spatial_tokens_are_attended_to_where_they_are_kept():
    tokens, label = planted()
    grid = tokens.reshape(CLIPS, TOKENS // 2, 1, 2, FEATURES)
    spec = Spec(targets=("a",), readout="class", samples=("time", "space_time"), **QUICK)
    rows, _ = probe(
        spec, [grid.mean((2, 3))] * 2, ["0", "final"], {"a": label}, FOLDS, tokens={"final": grid}
    )
    found = {(r["sample"], r["layer"]): r for r in rows if r["metric"] == "accuracy"}
    assert ("space_time", "0") not in found
    assert found["space_time", "final"]["value"] > found["time", "final"]["value"]
    assert found["space_time", "selected"]["note"].startswith("layer final")
    none, _ = probe(spec, [grid.mean((2, 3))], ["0"], {"a": label}, FOLDS)
    (row,) = [r for r in none if r["sample"] == "space_time"]
    assert row["value"] is None and "no layer" in row["note"]
    coarse = _samples.gathered(grid.repeat(4, 2).repeat(2, 3), 2)
    assert coarse.shape == (CLIPS, TOKENS // 2 * 4, FEATURES)
    np.testing.assert_allclose(coarse.mean(1), tokens.mean(1))
    with pytest.raises(ValueError, match=r"4 x 4 tokens can't be cut into 3 x 3"):
        _samples.gathered(np.zeros((1, 1, 4, 4, 2)), 3)


class Stored:
    """Spatial tokens that are read in slices of a few clips alone, as from a store."""

    def __init__(self, tokens):
        self.tokens, self.shape = tokens, tokens.shape

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, clips):
        start, stop, _ = clips.indices(len(self))
        assert stop - start <= 16, "read some at a time"
        return self.tokens[clips]


@pytest.mark.parametrize(("cells", "components"), [(None, None), (1, 3)])
def test_tokens_of_a_store_are_read_a_few_clips_at_a_time_to_the_same_numbers(
    cells, components, monkeypatch
):
    tokens, label = planted("number")
    grid = tokens.reshape(CLIPS, TOKENS // 2, 1, 2, FEATURES)[..., :1, :].astype(np.float16)
    spec = Spec(
        targets=("a",), samples=("space_time",), cells=cells, components=components,
        **QUICK | {"rates": (0.1,), "epochs": (2,), "permutations": 0},
    )  # fmt: skip

    def fitted(kept):
        return probe(spec, [tokens], ["final"], {"a": label}, FOLDS[:1], tokens={"final": kept})

    inside = fitted(grid)
    monkeypatch.setattr(scratch, "LARGE", 0)
    monkeypatch.setattr(_cuts, "BLOCK", 7)
    monkeypatch.setattr(_trained, "PIECE", 2**13)  # a step's clips are shown some at a time too
    held = _samples.rows_of_places(Stored(grid), "space_time", cells)
    assert isinstance(held, np.memmap) and held.dtype == (np.float32 if cells else np.float16)
    rows, block = fitted(Stored(grid))
    for one, other in zip(inside[0], rows, strict=True):
        assert one["value"] == pytest.approx(other["value"], abs=1e-4)
    for one, other in zip(inside[1]["choices"], block["choices"], strict=True):
        assert one.pop("inner_r2") == pytest.approx(other.pop("inner_r2"), abs=1e-6)
        assert one == other


def test_mean_and_deviation_in_blocks_are_those_of_all_rows(monkeypatch):
    tokens = np.random.default_rng(0).normal(3, 2, (20, 4, 5)).astype(np.float16)
    monkeypatch.setattr(_cuts, "BLOCK", 3)
    clips = np.arange(1, 18)
    mean, deviation = _cuts._spread(tokens, clips)
    rows = tokens[clips].reshape(-1, 5).astype(float)
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation, rows.std(0), rtol=1e-6)
    found = _cuts._components(tokens, clips, 2)
    expected = PCA(2).fit(rows).transform(tokens.reshape(-1, 5).astype(float))
    np.testing.assert_allclose(np.abs(found.reshape(-1, 2)), np.abs(expected), atol=1e-4)


def test_components_are_those_of_each_fits_own_training_clips():
    tokens, label = planted("number")
    tokens[..., 2:] *= 0.1
    asked = {"rates": (0.03,), "decays": (0.5,), "epochs": (8,), "permutations": 0}
    _, block = run([tokens], label, "number", components=2, **asked)
    held = np.array(next(b for b in block["held_out"] if b["layer"] == "0")["prediction"])
    for fold in FOLDS:
        known = tokens[fold.train].reshape(-1, FEATURES).astype(np.float32)
        peer = PCA(2).fit(known)
        shown = peer.transform(tokens.reshape(-1, FEATURES).astype(np.float32))
        # a query and a line know no signs, but their first weights do
        signs = np.sign((ridge_axes(known, 2) * peer.components_.T).sum(0))
        shown = (signs * shown).reshape(CLIPS, TOKENS, 2)
        alone = _trained.Trained(_attention.Query(), (0.03,), (0.5,), (8,), None, 0)
        labels = Numbers(label[:, None, None], {"a": 1})
        (tally,) = tallies(alone, labels, _samples.pooled(["time"], [shown], ["0"]), [fold])
        expected = tally.layers[0][0].predicted[:, 0, 0]
        np.testing.assert_allclose(held[fold.test], expected, atol=1e-3)
    assert {c["parameters"] for c in block["choices"]} == {2 + 3}
    _, wide = run([tokens], label, "number", components=50, **asked)
    _, whole = run([tokens], label, "number", **asked)
    assert wide["choices"] == whole["choices"], "what has fewer features keeps them"
    assert {c["parameters"] for c in whole["choices"]} == {FEATURES + FEATURES + 1}
    spec = Spec(targets=("a",), **QUICK | asked)
    _, given = probe(spec, [tokens], ["0"], {"a": label}, FOLDS, components=2)
    assert given["choices"] == block["choices"]


def ridge_axes(known, count):
    return statistics_ridge.axes((known - known.mean(0)).astype(float), count)


def test_components_that_training_clips_do_not_vary_along_are_zeros():
    rng = np.random.default_rng(0)
    tokens = 1e3 * rng.normal(size=(30, 1, 40)).astype(np.float32)
    found = _cuts._components(tokens, np.arange(6), 8)
    assert found.shape == (30, 1, 8) and not found[..., 5:].any()
    flat = _cuts._components(tokens * (np.arange(40) < 3), np.arange(20), 5)
    assert flat[..., :3].any((0, 1)).all() and not flat[..., 3:].any()


def test_what_can_not_be_is_refused():
    tokens, label = planted()
    with pytest.raises(ValueError, match="16 heads can't share 24"):
        attentive_deep.Spec(width=24)
    with pytest.raises(ValueError, match=r"can't share 12 features.* Hint: set width"):
        run([tokens], label, module=attentive_deep, epochs=(1,))
    with pytest.raises(ValueError, match="set readout: class"):
        Spec(by="principle")
    with pytest.raises(ValueError, match="epochs must ascend"):
        Spec(epochs=(5, 5))
