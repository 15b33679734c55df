"""Axes say what dimensions are, and nothing is guessed."""

import pytest
import torch

from physprobe.embed import _axes


def numbered() -> torch.Tensor:
    """(b, t, h, w, d), each value another one."""
    return torch.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("text", "order", "shape"),
    [
        ("b (t h w) d", "bthwd", (2, 60, 6)),
        ("b (h w t) d", "bhwtd", (2, 60, 6)),
        ("b d t h w", "bdthw", (2, 6, 3, 4, 5)),
        ("(b t) d h w", "btdhw", (6, 6, 4, 5)),
        ("(b t) (h w) d", "bthwd", (6, 20, 6)),
        ("t b d (h w)", "tbdhw", (3, 2, 6, 20)),
    ],
)
def test_tokens_come_back_whatever_their_order(text: str, order: str, shape: tuple):
    values = numbered()
    given = values.permute(*("bthwd".index(letter) for letter in order)).reshape(shape)
    axes = _axes.parsed(text, "bthwd", "bd")
    found = _axes.tokens(given, axes, {"b": 2, "t": 3}, prefix=0, wide=5 / 4)
    assert torch.equal(found, values)


@pytest.mark.parametrize("text", ["b (t h w) d", "(b t) (h w) d"])
def test_tokens_in_front_are_left_out(text: str):
    values, front = numbered(), torch.full((2, 2, 6), -1)
    axes = _axes.parsed(text, "bthwd", "bd")
    given = values.reshape(2, 60, 6)
    if text.startswith("(b"):
        given, front = given.reshape(6, 20, 6), torch.full((6, 2, 6), -1)
    given = torch.cat([front, given], 1)
    found = _axes.tokens(given, axes, {"b": 2, "t": 3}, prefix=2, wide=5 / 4)
    assert torch.equal(found, values)


def test_what_is_not_there_has_length_1():
    axes = _axes.parsed("(b t) d", "bthwd", "bd")
    given = numbered()[:, :, 0, 0]
    found = _axes.tokens(given.reshape(6, 6), axes, {"b": 2, "t": 3}, prefix=0, wide=1)
    assert found.shape == (2, 3, 1, 1, 6) and torch.equal(found[:, :, 0, 0], given)


def test_frames_are_arranged():
    frames = torch.arange(2 * 3 * 3 * 4 * 5).reshape(2, 3, 3, 4, 5)
    moved = _axes.arranged(frames, _axes.parsed("b c t h w", "btchw", "btchw"))
    assert torch.equal(moved, frames.transpose(1, 2))
    alone = _axes.arranged(frames, _axes.parsed("(b t) c h w", "btchw", "btchw"))
    assert torch.equal(alone, frames.flatten(0, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("b,t,d", "are no axes; write letters with spaces between"),
        ("b (t h w d", "are no axes"),
        ("b n d", "'n' in 'b n d' is no axis; those here are b t h w d"),
        ("t h w d", "'b' is missing"),
        ("b t t d", "a letter stands twice"),
    ],
)
def test_what_are_no_axes(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        _axes.parsed(text, "bthwd", "bd")


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("b (t h w) d", (2, 61, 6), r"61 along t h w, expected 3 t x h x w"),
        ("b (t h w) d", (2, 3 * 15, 6), r"15 along h w, which aren't rows and columns"),
        ("b (t h w) d", (2, 3, 4, 6), r"4 dimensions, where b \(t h w\) d are 3"),
        ("b d", (2, 6), r"no times, where there are 3: b d has no t"),
        ("b t d", (2, 6, 6), r"6 along t, expected 3 t"),
        ("b t d", (5, 3, 6), r"5 along b, expected 2 b"),
    ],
)
def test_other_lengths_are_errors(text: str, shape: tuple, message: str):
    axes = _axes.parsed(text, "bthwd", "bd")
    with pytest.raises(ValueError, match=message):
        _axes.tokens(torch.zeros(shape), axes, {"b": 2, "t": 3}, prefix=0, wide=1)
