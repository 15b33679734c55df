"""Training figure: one curve per recipe, random weights dotted, the kept checkpoint starred."""

import pandas as pd
from figure_oracle import beside, sound
from matplotlib.image import imread

from physprobe.figures import learning, stage


def table(score: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": [0, 10, 20],
            "seconds": [0.0, 60.0, 120.0],
            "loss": [None, 2.0, 1.0],
            "effective_rank": [20.0, 15.0, 12.0],
            "feature_std": [0.5, 0.4, 0.3],
            "mean_cosine": [0.1, 0.2, 0.3],
            "score": score,
            "kept": [False, True, False],
        }
    )


def test_recipes_stand_beside_each_other_with_their_random_weights():
    frame = pd.concat(
        [table([0.4, 0.6, 0.5]).assign(recipe="a"), table([0.3, 0.2, 0.1]).assign(recipe="b_c")]
    )
    found = learning.figure(learning.frame(frame))
    sound(found)
    first, loss = found.axes[0], found.axes[1]
    drawn = [list(line.get_ydata()) for line in first.get_lines()]
    assert [0.4, 0.6, 0.5] in drawn and [0.3, 0.2, 0.1] in drawn
    assert [0.4, 0.4] in drawn and [0.3, 0.3] in drawn, "random weights"
    assert [0.6] in drawn and [0.2] in drawn, "what is kept"
    assert loss.get_lines()[0].get_ydata()[1] == 1.0
    assert [text.get_text() for text in found.legends[0].get_texts()] == ["a", "b c"]


def test_members_of_a_recipe_are_curves_of_its_colour():
    each = [[0.4, 0.6, 0.5], [0.3, 0.2, 0.1], [0.2, 0.3, 0.4]]
    both = pd.concat([table(score).assign(member=m) for m, score in enumerate(each[:2])])
    frame = pd.concat([both.assign(recipe="a"), table(each[2]).assign(recipe="b")])
    found = learning.figure(learning.frame(frame))
    sound(found)
    lines = [line for line in found.axes[0].get_lines() if len(line.get_ydata()) == 3]
    assert [list(line.get_ydata()) for line in lines] == each
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert [text.get_text() for text in found.legends[0].get_texts()] == ["a", "b"]


def test_the_stage_draws_tables_by_their_folders(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        table([0.1, 0.2, 0.3]).to_csv(tmp_path / name / "training.csv", index=False)
    tables = [tmp_path / name / "training.csv" for name in ("one", "two")]
    picture, drawn = tmp_path / "learning.png", tmp_path / "learning.csv"
    stage.run(kind="learning", sources=tables, **beside(picture))
    assert imread(picture).shape[1] > 1000
    assert list(pd.read_csv(drawn)["recipe"]) == ["one"] * 3 + ["two"] * 3
