"""Neighbours as scikit-learn finds them; similarity of images against cases by hand."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from physprobe.statistics import neighbours, similarity


@pytest.mark.parametrize("distance", ["euclid", "cosine"])
def test_neighbours_are_those_of_scikit_learn(rng, distance):
    index, query = rng.normal(size=(80, 6)) + 3, rng.normal(size=(700, 6)) + 3
    metric = {"euclid": "euclidean", "cosine": "cosine"}[distance]
    away, expected = NearestNeighbors(n_neighbors=7, metric=metric).fit(index).kneighbors(query)
    found = neighbours.nearest(query, index, 7, distance)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(neighbours.distances(query, index, found, distance), away, atol=1e-9)
    assert neighbours.nearest(query, index[:4], 7, distance).shape == (700, 4)


def test_a_point_without_a_direction_is_at_right_angles_to_all():
    index = np.array([[1.0, 0], [0, 0], [-1, 0]])
    near = neighbours.nearest(np.array([[2.0, 0]]), index, 3, "cosine")
    assert near.tolist() == [[0, 1, 2]]
    still = np.array([[2.0, 0], [0, 0]])
    away = neighbours.distances(still, index, np.array([[0, 1, 2]] * 2), "cosine")
    assert away.tolist() == [[0, 1, 2], [1, 1, 1]]


def test_similarities_of_cases_by_hand():
    black, gray = np.zeros((1, 16, 16)), np.full((1, 16, 16), 0.5)
    assert similarity.psnr(gray, black) == pytest.approx([10 * np.log10(4)])
    assert similarity.psnr(gray, gray) == [np.inf]
    assert similarity.ssim(gray, gray) == pytest.approx([1])
    # flat images have no variance: what is left is that of their means
    assert similarity.ssim(gray, black) == pytest.approx([1e-4 / (0.25 + 1e-4)])
    with pytest.raises(ValueError, match="smaller than the window, 11"):
        similarity.ssim(gray[:, :8, :8], black[:, :8, :8])


def test_structural_similarity_is_that_of_its_definition(rng):
    one, other = rng.random((2, 2, 13, 12))
    weight = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(weight, weight) / weight.sum() ** 2
    expected = []
    for a, b in zip(one, other, strict=True):
        values = []
        for y in range(3):
            for x in range(2):
                p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
                m, n = (window * p).sum(), (window * q).sum()
                s, t = (window * (p - m) ** 2).sum(), (window * (q - n) ** 2).sum()
                both = (window * (p - m) * (q - n)).sum()
                above = (2 * m * n + 1e-4) * (2 * both + 9e-4)
                values.append(above / ((m**2 + n**2 + 1e-4) * (s + t + 9e-4)))
        expected.append(np.mean(values))
    np.testing.assert_allclose(similarity.ssim(one, other), expected)
