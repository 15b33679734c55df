"""Ladder against collapse: a mark per member at its last step, crosses where it has collapsed."""

import pandas as pd
from figure_oracle import sound

from physprobe.figures import collapse


def table(recipe: str, ranks: list[float], fell: list[bool]) -> pd.DataFrame:
    """Members with three epochs each."""
    rows = []
    for member, (rank, flag) in enumerate(zip(ranks, fell, strict=True)):
        for step, part in ((0, 2.0), (10, 1.5), (20, 1.0)):
            rows.append({"recipe": recipe, "member": member, "step": step})
            rows[-1] |= {"effective_rank": part * rank, "mean_cosine": 0.1 * rank, "score": 0.3}
            rows[-1] |= {"collapsed": flag and step > 0, "loss": 1.0}
    return pd.DataFrame(rows)


def test_members_stand_at_their_last_step_and_collapsed_ones_are_crosses():
    guarded, free = [False] * 2, [True, False, True]
    found = collapse.frame(table("with_guard", [5, 6], guarded), table("none", [1, 2, 3], free))
    assert list(found["step"]) == [0, 20] * 5
    figure = collapse.figure(found)
    sound(figure)
    marks: dict[str, list] = {"o": [], "x": [], "|": []}
    for line in figure.axes[0].get_lines():
        marks[line.get_marker()] += list(line.get_xdata())
    assert sorted(marks["o"]) == [2, 5, 6] and sorted(marks["x"]) == [1, 3]
    assert sorted(marks["|"]) == [2, 4, 6, 10, 12], "random weights"
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["with guard", "none"]


def test_a_recipe_of_one_network_has_no_members_column():
    one = table("vjepa", [4], [False]).drop(columns="member")
    assert set(collapse.frame(one)["member"]) == {0}
    sound(collapse.figure(collapse.frame(one)))
