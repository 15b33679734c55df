"""Page: verdicts and figures of studies, from their files alone."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from figure_oracle import beside

from physprobe.drawing import canvas
from physprobe.figures import stage as figures
from physprobe.layouts import fit
from physprobe.layouts import stage as layouts
from physprobe.report import _page, stage

LIB = Path(stage.__file__).parent
SHOWN = ("verdicts", "filmstrip", "ladder", "skill")


@pytest.fixture(scope="module")
def written(study, tmp_path_factory) -> Path:
    """A page of one study, with some of its figures and its layout."""
    folder = study["verdicts"].parent
    shared = {key: study[key] for key in ("fits", "embeddings", "simulation", "clips", "spec")}
    pictures = [folder / f"{kind}.png" for kind in SHOWN]
    for kind, picture in zip(SHOWN, pictures, strict=True):
        source = {"sources": [study["verdicts"]]} if kind == "verdicts" else shared
        figures.run(kind=kind, **beside(picture), **source)
    pictures.append(folder / "empty.png")
    empty = canvas.encoded(canvas.nothing("Held-out predictions"), "Empty", canvas.NOTHING)
    for form, content in zip((".png", ".svg"), empty, strict=True):
        pictures[-1].with_suffix(form).write_bytes(content)
    layouts.run(kind="fit", **study, out=[folder / name for name in fit.FILES])
    page = tmp_path_factory.mktemp("report") / "report.html"
    stage.run(
        verdicts=[study["verdicts"]],
        figures=[path.with_suffix(form) for path in pictures for form in (".png", ".svg")],
        layouts=[folder / "fit_metrics.json"],
        published=LIB / "published.yaml",
        template=LIB / "page.html.j2",
        out=page,
    )
    return page


def test_a_figure_of_nothing_is_told_and_not_shown(page):
    assert "Not drawn, as nothing is defined that they could show: Empty." in page.text
    assert "empty" not in {about.get("id") for _, about in page.tags}


class Page(HTMLParser):
    """Text, tags and resources of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.resources, self.text, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.resources += [
            v for k, v in attributes if k in ("src", "href", "srcset", "data", "poster")
        ]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page(written.read_text())


def test_page_needs_nothing_but_itself(page, written):
    assert page.open == []
    shown = [r for r in page.resources if not r.startswith("#")]
    # what is shown is in the page; links lead to the files beside it
    linked = [r for r in shown if not r.startswith("data:image/")]
    assert len(linked) == 3 * len(SHOWN)
    assert {(written.parent / link).suffix for link in linked} == {".png", ".svg", ".csv"}
    assert all((written.parent / link).is_file() for link in linked)
    ids = {about["id"] for _, about in page.tags if "id" in about}
    assert {r[1:] for r in page.resources if r.startswith("#")} <= ids
    text = written.read_text()
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert "://" not in text


def test_page_begins_with_claims_and_verdicts(page):
    ids = [about["id"] for _, about in page.tags if "id" in about]
    assert ids[0] == "claims"
    chips = [
        about["class"] for tag, about in page.tags if about.get("class", "").startswith("chip")
    ]
    assert {"chip supported", "chip cannot-tell"} <= set(chips)
    assert re.search(r"p = 0\.\d+ \(200 bootstrap draws\)", page.text)
    assert "untrained" in page.text


def test_page_answers_first_for_all_encoders():
    """Reading results: every encoder's verdicts, the refuted claims by name."""
    claims = [
        {"encoder": name, "label": name, "statement": f"{name} {word}.", "verdict": word}
        for name, word in (("one", "supported"), ("two", "refuted"), ("two", "cannot tell"))
    ]
    one, two = _page._answers(claims)
    assert (one["encoder"], one["counts"]["supported"]) == ("one", 1)
    assert one["stated"] == {"Supported": ["one supported."], "Refuted": []}
    assert two["counts"] == {"supported": 0, "refuted": 1, "cannot tell": 1}
    assert two["stated"]["Refuted"] == ["two refuted."]


def test_claims_are_crossed_with_encoders():
    claims = [
        {"claim": c, "encoder": e, "statement": f"{c}!", "verdict": v}
        for c, e, v in (("a", "one", "refuted"), ("b", "two", "supported"), ("a", "two", "refuted"))
    ]
    a, b = _page._crossed(claims)
    assert a == {"statement": "a!", "claims": [claims[0], claims[2]]}
    assert b["claims"] == [claims[1]]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((2, 3, 1), "2 of 6 claims hold, 3 are refuted, 1 can't be told."),
        ((1, 1, 0), "1 of 2 claims holds, 1 is refuted."),
        ((0, 0, 2), "none of 2 claims hold, 2 can't be told."),
        ((1, 0, 0), "its one claim holds."),
        ((0, 1, 0), "its one claim is refuted."),
        ((0, 0, 1), "its one claim can't be told."),
    ],
)
def test_a_sentence_says_how_many_claims_hold(counts: tuple[int, ...], text: str):
    words = [w for w, n in zip(_page.VERDICTS, counts, strict=True) for _ in range(n)]
    assert _page.sentence(words) == text


def test_page_shows_the_answers_before_anything_else(page):
    found = [about for _, about in page.tags if about.get("class") == "answer" or "id" in about]
    assert found[0].get("class") == "answer"


def test_a_claim_says_how_much_it_is_or_would_have_to_be():
    line = dict.fromkeys(("detectable", "groups_needed", "closed", "best_control", "size"))
    held = {**line, "verdict": "supported", "size": "small"}
    assert _page.extent(held) == "small"
    assert _page.extent({**held, "best_control": "a_b", "closed": 0.123}) == (
        "small, 12% of the way from a b to a perfect score"
    )
    unknown = {**line, "verdict": "cannot tell", "groups": 80}
    assert _page.extent(unknown) == "" == _page.extent({**line, "verdict": "refuted"})
    found = _page.extent({**unknown, "detectable": 0.25})
    assert found == "0.250 from the margin would have been told"
    assert _page.extent({**unknown, "detectable": 0.25, "groups_needed": 2400}) == (
        f"{found}; this distance needs 2,400 clips or groups, there are 80"
    )


def test_page_escapes_what_config_says(page, written):
    assert "Alpha <b>is</b> decodable & more." in page.text
    assert "Alpha <b>is</b>" not in written.read_text()


HOSTILE = """<evil a="1">&'"$x$</evil>"""


def hostile(content: object, kept: tuple[str, ...]) -> object:
    """The same with markup in every text, but for those whose words mean something."""
    if isinstance(content, str):
        return content if content in kept else content + HOSTILE
    if isinstance(content, list):
        return [hostile(each, kept) for each in content]
    if isinstance(content, dict):
        return {
            key: value if key in ("sample", "way", "metric", "code") else hostile(value, kept)
            for key, value in content.items()
        }
    return content


def test_no_text_becomes_markup(study):
    """Labels, units, classes and statements are the user's, and may hold anything."""
    folder = study["verdicts"].parent
    judged = json.loads(study["verdicts"].read_text())
    filled = json.loads((folder / "fit_metrics.json").read_text())
    kept = (*_page.VERDICTS, *filled["encoders"], *filled["controls"], "persistence")
    names = hostile({"claims": judged["claims"], "spec": judged["spec"]}, kept)
    text = _page.html(
        {"heat": {**judged, **names}},
        [folder / "verdicts.png"],
        {"heat": hostile(filled, kept)},
        LIB / "published.yaml", LIB / "page.html.j2", HOSTILE, folder,
    )  # fmt: skip
    page = Page(text)
    assert page.open == [] and "evil" not in {tag for tag, _ in page.tags}
    assert page.text.count("<evil") > 20 and "<evil" not in text


def test_page_marks_what_was_not_declared_before(study, page):
    """Which claims are exploratory, and what was amended; of no plan nothing is said."""
    assert "exploratory" not in [about.get("class") for _, about in page.tags]
    assert "Amended" not in page.text
    judged = json.loads(study["verdicts"].read_text())
    first, *others = judged["claims"]
    told = "2026-01-02, after there were results: loosened claims.alpha_decodable"
    plan = {"hash": "0123456789abcdef", "existed": {"a": "b"}, "amendments": [], "told": [told]}
    claims = [{**first, "status": "exploratory"}, *others]
    text = _page.html(
        {"heat": {**judged, "claims": claims, "plan": plan}}, [], {},
        LIB / "published.yaml", LIB / "page.html.j2", "", study["verdicts"].parent,
    )  # fmt: skip
    marked = Page(text)
    chips = [about["class"] for _, about in marked.tags if "chip" in about.get("class", "")]
    assert chips.count("chip exploratory") == 1
    assert "0123456789abcdef" in marked.text and "1 line below is exploratory" in marked.text
    assert "Amended 2026-01-02, after there were results: loosened claims.alpha decodable." in (
        marked.text
    )


def test_page_shows_every_figure_with_its_caption(page):
    images = [about for tag, about in page.tags if tag == "img"]
    captions = [tag for tag, _ in page.tags if tag == "figcaption"]
    assert len(images) == len(captions) == len(SHOWN)
    assert all(image["alt"] for image in images)
    assert page.text.count("95 % interval") >= 3


def test_a_figure_is_shown_as_a_drawing_unless_that_is_far_larger(page, study, tmp_path):
    """Lines and letters are sharp at any size; clouds of many points are pictures."""
    kinds = {
        about["alt"]: about["src"].partition(";")[0] for tag, about in page.tags if tag == "img"
    }
    assert kinds["Claims and verdicts"] == "data:image/svg+xml"
    picture, drawing = tmp_path / "a.png", tmp_path / "a.svg"
    content = (study["verdicts"].parent / "verdicts.png").read_bytes()
    picture.write_bytes(content)
    for more, kind in ((0, "svg+xml"), (1, "png")):
        drawing.write_bytes(b" " * (_page.LARGER * len(content) + more))
        found = _page._figure([drawing, picture], tmp_path)
        assert found["image"].startswith(f"data:image/{kind};base64,")
        assert set(found["files"]) == {"PNG", "SVG", "CSV"}
    assert set(_page._figure([picture], tmp_path)["files"]) == {"PNG", "CSV"}


FIT = {
    "setup": {"encoder": "small"},
    "label": "untrained, 128 wide",
    "provenance": {"encoders": {"small": {"hf_repo": "untrained"}}},
    "artefact": {"exploded": 21},
    "alpha_probe_sim": {"test_r2": 0.85},
}
ENTRY = {"what": "n", "published": 21, "study": "old", "path": "artefact.exploded", "tolerance": 0}


@pytest.mark.parametrize(
    ("changes", "verdict", "why"),
    [
        ({}, "reproduced", "the same"),
        ({"published": 20}, "not reproduced", "not the same"),
        ({"published": 20, "tolerance": 2}, "reproduced", "within 2"),
        ({"path": "artefact.other.deep"}, "not comparable", "ours was not computed"),
        ({"study": "none"}, "not comparable", "ours was not computed"),
        ({"because": "it is older"}, "not comparable", "it is older"),
        ({"study": "none", "because": "it is older"}, "not comparable", "it is older"),
        (
            {"path": "alpha_probe_sim.test_r2", "published": 0.85, "encoder": "hub/large"},
            "not comparable",
            "different encoder: untrained, 128 wide, published with large",
        ),
    ],
)
def test_published_numbers_are_judged(changes, verdict, why):
    found = _page._compared({**ENTRY, **changes}, {"old": FIT})
    assert (found["verdict"], found["why"]) == (verdict, why)


def test_published_numbers_have_source_and_place():
    import yaml

    content = yaml.safe_load((LIB / "published.yaml").read_text())
    for entry in content["numbers"]:
        assert {"what", "published", "section", "study", "path"} <= entry.keys()
        assert "tolerance" in entry or "because" in entry


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (0.12345, "0.123"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (22, "22"),
        (-5132.12, "\N{MINUS SIGN}5,132.1"),
    ],
)
def test_numbers_are_rounded_for_people(value, text):
    assert _page.number(value) == text


def test_no_path_of_a_machine_in_the_page(written):
    assert str(written.parent) not in written.read_text()


def test_a_page_needs_no_layout_and_shows_what_belongs_to_no_study(study, tmp_path):
    other = tmp_path / "calibration.png"
    other.write_bytes((study["verdicts"].parent / "verdicts.png").read_bytes())
    out = tmp_path / "page.html"
    stage.run(
        verdicts=[study["verdicts"]], figures=[other], layouts=[],
        published=LIB / "published.yaml", template=LIB / "page.html.j2", out=out,
    )  # fmt: skip
    text = out.read_text()
    assert 'id="others"' in text and 'id="published"' not in text
    assert "The ladder of controls" not in text


def test_members_weights_are_counted_and_places_without_clips_left_out(study):
    result = json.loads(study["verdicts"].read_text())
    name = next(iter(result["provenance"]["encoders"]))
    result["provenance"]["encoders"][name]["weights_hash"] = ["a" * 64, "b" * 64]
    result["setup"]["by_count"] = dict.fromkeys(next(iter(result["setup"].values())))
    text = _page.html(
        {"heat": result}, [], {},
        LIB / "published.yaml", LIB / "page.html.j2", "", study["verdicts"].parent,
    )  # fmt: skip
    assert "a" * 12 + "</code> and 1 more" in text and "a" * 13 not in text
    assert "by count" not in text and "None clips" not in text
