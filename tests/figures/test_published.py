"""Published tables beside ours: a verdict where all agrees, and by name what doesn't."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from figure_oracle import sound

from physprobe.config import kinds
from physprobe.figures import pretraining, published
from physprobe.store import files
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

TABLES = files.read_yaml(Path(published.__file__).with_name("published_tables.yaml"))
WELL = {"kind": "the_well", "protocol": "published"}


def system(spec: dict, size: tuple[int, int, int], **attrs: object) -> xr.Dataset:
    dims = dict(zip(("time", "y", "x"), (np.zeros(n) for n in size), strict=True))
    return xr.Dataset(coords=dims, attrs={"spec": spec, **attrs})


def embedding(**learnt: object) -> xr.Dataset:
    spec = {"kind": "fields", "frames": "ordered"}
    return xr.Dataset(attrs={"architecture": learnt, "spec": spec})


def fit(targets: list[str], value: float, kind: str = "attentive") -> dict:
    rows = [
        {
            "target": target, "sample": "clip", "layer": "selected", "time": None, "part": None,
            "metric": metric, "value": value, "ci_low": 0.8 * value, "ci_high": 1.2 * value,
            "n_clips": 40, "member": None,
        }
        for target in (*targets, "mean")
        for metric in ("r2", "z_mse")
    ]  # fmt: skip
    spec = {"kind": kind, "targets": targets, "samples": ["clip"], "bootstraps": 100}
    return {"schema": "physprobe/probe/2", "spec": spec, "rows": rows}


def study(spec: dict, stores: dict, fits: dict, size=(16, 224, 224), **attrs) -> Evidence:
    found = Evidence(
        tuple(stores), (), {}, place="flow", simulations={"flow": system(spec, size, **attrs)},
        embeddings={("flow", name): store for name, store in stores.items()},
        fits={"flow": {"of_flow": Fits(fits)}},
    )  # fmt: skip
    return found.at()


@pytest.mark.parametrize(
    ("value", "place", "verdict"),
    [
        (0.37, "within", published.WITHIN), (0.2, "above", published.OUTSIDE),
        (0.8, "below", published.OUTSIDE),
    ],
)  # fmt: skip
def test_what_agrees_in_all_but_the_number_has_a_verdict(value, place, verdict):
    stores = {
        "ours": embedding(recipe="fields_jepa", network="convnext", preset="published"),
        "vit": embedding(recipe="fields_masked", network="vit", preset="published"),
    }
    asked = ["z_Reynolds", "z_Schmidt"]
    fits = {name: fit(asked, value) for name in stores}
    found = published.frame(study(WELL, stores, fits, dataset=["shear_flow"]), TABLES)
    whole = found[(found["target"] == "mean") & (found["encoder"] == "ours")]
    (row,) = whole.itertuples()
    assert (row.fluid, row.model, row.published) == ("shear_flow", "JEPA", 0.38)
    assert (row.place, row.verdict, row.why) == (place, verdict, "")
    other = found[(found["target"] == "mean") & (found["encoder"] == "vit")].iloc[0]
    assert other["verdict"] == published.NOT
    assert (
        other["why"] == "other network: published VideoMAE ViT-S of about 22 M weights, here"
        " published vit"
    )
    sound(published.figure(found))


def test_every_difference_is_named_and_every_cell_is_there():
    stores = {"ours": embedding(recipe="fields_jepa", network="vit", preset="small")}
    fits = {"ours": fit(["log_reynolds", "log_schmidt"], 0.5, "ridge")}
    made = study({"kind": "shear_flow"}, stores, fits, (16, 96, 48))
    found = published.frame(made, TABLES)
    cells = [c for table in TABLES["tables"] for c in table["cells"] if "share" not in c]
    assert found["published"].notna().sum() == len(cells)
    (row,) = found[(found["encoder"] == "ours") & (found["target"] == "mean")].itertuples()
    assert row.verdict == published.NOT and row.place == "below"
    for part in (
        "other data: published runs of The Well", "224 x 224 cells and 16 frames, here 96 x 48",
        "other labels: here log schmidt for schmidt", "here small vit",
        "other probe: published attentive, here ridge",
    ):  # fmt: skip
        assert part in row.why
    alone = found[(found["encoder"] == "ours") & (found["target"] == "reynolds")].iloc[0]
    assert alone["ours"] == "log_reynolds" and alone["why"].startswith(published.UNSAID)
    assert "other labels" not in alone["why"] and np.isnan(alone["published"])
    absent = found[found["role"] == "none"]
    assert set(absent["verdict"]) == {published.NOT} and set(absent["why"]) == {published.ABSENT}
    figure = published.figure(found)
    sound(figure)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [t["name"] for t in TABLES["tables"]]


def test_of_the_course_parameters_are_compared_one_by_one():
    stores = {"ours": embedding(recipe="fields_jepa", network="vit", preset="small")}
    fits = {"ours": fit(["log_activity", "log_zeta"], 0.15, "linear_layer")}
    found = published.frame(study({"kind": "active_matter"}, stores, fits), TABLES)
    ours = found[(found["table"] == "NYU's course") & (found["encoder"] == "ours")]
    told = {row.target: row for row in ours[ours["read_by"] == "linear_layer"].itertuples()}
    assert told["zeta"].ours == "log_zeta" and told["zeta"].place == "within"
    assert told["alpha"].published == 0.038 and told["alpha"].place == "below"
    assert "log activity for alpha" in told["alpha"].why and "other probe" not in told["zeta"].why


def test_twins_and_what_sees_frames_in_no_order_have_no_counterpart():
    shuffled = embedding(recipe="fields_jepa", network="vit", preset="small")
    shuffled.attrs["spec"]["frames"] = "shuffled"
    stores = {"shuffled": shuffled, "random": embedding(network="vit", preset="small")}
    fits = {name: fit(["log_reynolds", "log_schmidt"], 0.5) for name in stores}
    found = published.frame(study({"kind": "shear_flow"}, stores, fits), TABLES)
    assert set(found["role"]) == {"none"}


def test_by_shares_it_is_the_cells_of_shares_that_are_beside_ours():
    stores = {"ours": embedding(recipe="fields_jepa", network="vit", preset="small")}
    whole = fit(["log_reynolds", "log_schmidt"], 0.5)
    rows = [
        {**{k: v for k, v in row.items() if k != "part"}, "share": share, "value": value,
         "ci_low": value - 0.1, "ci_high": value + 0.1}
        for row in whole["rows"] for share, value in ((0.1, 0.6), (0.25, 0.5), (1.0, 0.2))
    ]  # fmt: skip
    shares = {**whole, "schema": "physprobe/shares/1", "rows": rows}
    found = published.frame(study({"kind": "shear_flow"}, stores, {"ours": shares}), TABLES)
    ours = found[(found["encoder"] == "ours") & (found["target"] == "mean")]
    assert list(ours["share"]) == [0.1, 1.0], "none of ours was fitted to a half"
    assert list(ours["place"]) == ["within", "above"]
    assert ours["why"].str.contains("published of windows, here of trajectories").all()
    sound(published.figure(found))


def test_it_is_drawn_of_fluids_alone_beside_its_tables():
    drawn = kinds.outline("figures", "published")
    assert drawn.FIELD == "fluid" and drawn.BESIDE == ("published_tables.yaml",)


def test_encoders_that_differ_in_their_share_make_a_curve_and_controls_a_level():
    stores = {
        f"{kind}_{groups}": embedding(
            recipe=f"fields_{kind}", network="vit", groups=groups, share=groups / 40,
            trained_on=4 * groups,
        )
        for kind in ("jepa", "masked") for groups in (10, 20, 40)
    }  # fmt: skip
    stores["random"] = embedding(network="vit")
    asked = ["log_reynolds", "log_schmidt"]
    fits = {
        name: fit(asked, 2 / s.attrs["architecture"].get("groups", 5)) for name, s in stores.items()
    }
    made = study({"kind": "shear_flow"}, stores, fits)
    found = pretraining.frame(made)
    assert set(found["curve"]) == {"jepa vit", "masked vit", ""} and set(found["metric"]) == {
        "z_mse"
    }
    figure = pretraining.figure(found)
    sound(figure)
    assert len(figure.axes) == 3
    for ax in figure.axes:
        bars = {each.get_label(): each for each in ax.containers}
        assert set(bars) == {"jepa vit", "masked vit", "random"}
        line = bars["jepa vit"][0]
        np.testing.assert_array_equal(line.get_xdata(), [10, 20, 40])
        np.testing.assert_allclose(line.get_ydata(orig=False), [0.2, 0.1, 0.05])
        assert bars["random"][0].get_xdata()[0] > 40
