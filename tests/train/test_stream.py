"""Stream: endless, the same for the same step, and never what anything is evaluated on."""

from functools import partial

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from physprobe.config import kinds
from physprobe.store import job
from physprobe.train import _stream, future_frames
from physprobe.train._training import VALIDATION


def test_a_step_follows_from_its_number(tiny):
    first, again, next_ = (_stream.batch(tiny, step) for step in (3, 3, 4))
    assert torch.equal(first.video, again.video) and torch.equal(first.field, again.field)
    assert not torch.equal(first.video, next_.video)
    assert first.video.shape == (6, 10, 3, 16, 16) and first.field.shape == (6, 10, 16, 16)


def test_batches_go_on_anywhere(tiny):
    found = list(job.ahead(partial(_stream.batch, tiny), range(4, tiny.steps)))
    assert len(found) == tiny.steps - 4
    assert torch.equal(found[0].video, _stream.batch(tiny, 4).video)


def test_no_config_can_name_the_seed_of_a_training_or_validation_clip(tiny):
    """Disjoint by construction: config below 2^32, steps above, validation above those."""
    last = _stream.clip_seed(tiny.model_copy(update={"seed": 2**16 - 1}), _stream.STEPS - 1)
    assert 2**32 <= _stream.clip_seed(tiny, 0) < last < VALIDATION
    for kind in kinds.names("simulate"):
        spec = kinds.load("simulate", kind).Spec
        if "seed" in spec.model_fields and not kind.endswith("_published"):
            with pytest.raises(ValidationError, match="less than 4294967296"):
                spec(seed=2**32)
    with pytest.raises(ValidationError, match="less than 65536"):
        future_frames.Spec(**{**tiny.dump(), "seed": 2**16})


def test_clips_of_training_validation_and_studies_differ(tiny):
    system = tiny.systems["heat"]
    drawn = [
        _stream.labelled(system, 5, seed)[1]["alpha"]
        for seed in (0, _stream.clip_seed(tiny, 0), _stream.clip_seed(tiny, 1), VALIDATION)
    ]
    assert len(np.unique(np.concatenate(drawn))) == 20


def test_windows_come_from_every_system_and_in_many_colours(tiny):
    heat = tiny.systems["heat"].dump()
    two = {"one": heat, "other": {**heat, "simulate": {**heat["simulate"], "alpha": (2, 3)}}}
    spec = future_frames.Spec(
        **{**tiny.dump(), "systems": two, "validation": {"one": ("alpha",)}, "batch": 40}
    )
    batch = _stream.batch(spec, 0)
    corner = batch.video[:, 0, :, 0, 0]
    assert len(torch.unique((corner * 10).round(), dim=0)) > 8
    assert batch.field.min() > -0.01 and batch.field.max() < 1.01


def test_a_window_has_to_fit(tiny):
    with pytest.raises(ValidationError, match="too few for windows of 37 frames"):
        future_frames.Spec(**{**tiny.dump(), "strides": (1, 4)})
