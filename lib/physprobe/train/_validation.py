"""Validation: judge an encoder by what a ridge probe decodes, never by its pretext loss."""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import torch
from torch import nn
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.embed.networks import vjepa
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.resize import Preprocessing
from physprobe.fit.methods import ridge
from physprobe.fit.probe import probe
from physprobe.statistics import splits, targets
from physprobe.train import _stream, _tokens
from physprobe.train._training import Training

Scores = Callable[[nn.Module], Mapping[str, float]]
"""From a network to its scores by name."""


class Judge:
    """Validation clips of every system, and the probes that are fitted to them.

    Parameters
    ----------
    spec : Training
    threads : int
        Threads of the encoder on a CPU.
    """

    def __init__(self, spec: Training, threads: int):
        self.spec, self.threads = spec, threads

    @cached_property
    def clips(self) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Video (clip, time, y, x, rgb) and targets by system."""
        found = {}
        for name, names in self.spec.validation.items():
            video, labels = _stream.validation(self.spec, name)
            found[name] = video, {t: targets.values(labels, t) for t in names}
        return found

    def scores(self, encoder: nn.Module) -> dict[str, float]:
        """R2 on held-out clips, best layer chosen inside the training clips.

        Returns
        -------
        dict of str to float
            By ``system/target``; what is undefined counts as 0.
        """
        found = {}
        whole = finished(self.spec, encoder.state_dict())
        for name, (video, wanted) in self.clips.items():
            frozen = vjepa.VJEPA2(
                whole,
                Network(),
                Preprocessing(crop=self.spec.crop_size),
                frames=video.shape[1],
                threads=self.threads,
                provenance={"label": "in training"},
            )
            pooled = frozen.encode(video, np.arange(len(video))).pooled.astype(np.float64)
            rows, _ = probe(
                ridge.Spec(
                    targets=tuple(wanted), samples=("clip",), permutations=1, bootstraps=100
                ),
                list(pooled.transpose(1, 0, 2, 3)),
                list(frozen.layers),
                wanted,
                splits.nested(np.arange(len(video))),
            )
            for row in rows:
                if (row["layer"], row["metric"], row.get("time")) == ("selected", "r2", None):
                    found[f"{name}/{row['target']}"] = float(row["value"] or 0.0)
        return found


def finished(
    spec: Training,
    tensors: Mapping[str, torch.Tensor],
    predictor: Mapping[str, torch.Tensor] | None = None,
) -> VJEPA2Model:
    """Model for inputs of ``crop_size`` from an encoder's tensors.

    Its predictor is empty unless there are tensors of a ``_tokens.Predictor`` of hidden states.
    """
    heads = spec.num_attention_heads
    named = _tokens.renamed(predictor or {})
    config = VJEPA2Config(
        **spec.architecture(spec.crop_size, spec.frames),
        pred_num_hidden_layers=_tokens.blocks(named),
        pred_num_attention_heads=heads,
        pred_hidden_size=spec.hidden_size if named else heads,
        pred_mlp_ratio=spec.mlp_ratio,
        pred_num_mask_tokens=1,
    )
    model = VJEPA2Model._from_config(config, attn_implementation="sdpa")
    for value in model.predictor.parameters():
        nn.init.zeros_(value)
    if named:
        model.predictor.load_state_dict(named)
    model.encoder.load_state_dict(tensors)
    return model.eval()
