"""Contrasts of groups against those worked out by hand."""

import numpy as np

from physprobe.statistics import orders


def test_contrasts_are_those_worked_out_by_hand_ties_included():
    """Quadruplets: two clips of each class, the sums of whose marks are compared."""
    groups = np.repeat([7, 3, 5, 9], 4)
    truth = np.tile([1, 1, 0, 0], 4)[:, None]
    marks = np.array(
        [
            [0.9, 0.2, 0.5, 0.5],  # 1.1 above 1.0
            [0.5, 0.5, 0.9, 0.2],  # 1.0 below 1.1
            [0.1, 0.3, 0.3, 0.1],  # 0.4 and 0.4: a tie, though 0.1 + 0.3 rounds
            [0.7, 0.7, 0.7, 0.7],
        ]
    ).reshape(-1, 1)
    ordered, compared = orders.contrasts(marks, truth, groups)
    assert ordered[:, 0].tolist() == [0.0, 0.5, 1.0, 0.5], "by group: 3, 5, 7, 9"
    assert compared[:, 0].tolist() == [1.0] * 4
    assert ordered.sum() / compared.sum() == 0.5
    # a submission that says the same of all movies has one half, not none
    nothing, _ = orders.contrasts(np.full((16, 1), 0.3), truth, groups)
    assert (nothing == 0.5).all()
    # the other way round, it is what is left to 1
    other, _ = orders.contrasts(1 - marks, truth, groups)
    np.testing.assert_array_equal(other, 1 - ordered)


def test_contrasts_take_means_of_unequal_numbers_and_leave_out_groups_of_one_class():
    groups = np.array([0, 0, 0, 1, 1, 2])
    truth = np.array([[1, 0], [0, 0], [0, 1], [1, 1], [1, 0], [0, 0]])
    marks = np.array([0.5, 0.6, 0.2, 0.9, 0.8, 0.1])
    marks = np.repeat(marks[:, None, None], 2, axis=2)
    ordered, compared = orders.contrasts(marks, truth, groups)
    assert compared.tolist() == [[1, 1], [0, 1], [0, 0]]
    # 0.5 above (0.6 + 0.2) / 2; 0.2 below (0.5 + 0.6) / 2, and 0.9 above 0.8
    assert ordered[:, 0].tolist() == [[1, 0], [0, 1], [0, 0]]
