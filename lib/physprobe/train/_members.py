"""Members: several networks of one recipe as a stack of parameters, trained in batched algebra.

What a recipe computes for one member is computed for all of them at once: every parameter has
``member`` in front, products become batched products, and each member still has its own weights,
batches, gradient norm and checkpoint. Where layers are small a step costs what calls cost, not
arithmetic, and there it is the faster way; convolutions become grouped ones, which are slower than
one network after the other: see ``Schedule.together``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vmap

from physprobe.train._recipe import Recipe
from physprobe.train.section import Batch


class Members(nn.Module):
    """Recipes of one kind and of networks of equal shapes, as the training loop asks for them.

    Parameters
    ----------
    recipes : sequence of Recipe
        One each. Their specs may differ in whatever is used in drawing weights, batches and
        ``draw`` alone: the loss and what follows a step are those of the first one's spec.

    Raises
    ------
    ValueError
        If networks differ in their shapes.
    """

    leading = 1
    """Dimensions in front of a parameter's own."""

    def __init__(self, recipes: Sequence[Recipe]):
        super().__init__()
        first = recipes[0]
        shapes = [{n: v.shape for n, v in recipe.state_dict().items()} for recipe in recipes]
        if any(found != shapes[0] for found in shapes):
            raise ValueError("members trained together have networks of equal shapes")
        self.specs = tuple(recipe.spec for recipe in recipes)
        self.spec, self.kind, self.family = first.spec, first.kind, first.family
        self.stack, one = (type(first)(first.spec) for _ in range(2))
        self.one = (one.eval(),)  # in a tuple: none of the parameters that are trained
        for name, module in self.stack.named_modules():
            own = [recipe.get_submodule(name) for recipe in recipes]
            for key, value in module.named_parameters(recurse=False):
                stacked = torch.stack([dict(m.named_parameters())[key].detach() for m in own])
                setattr(module, key, nn.Parameter(stacked, value.requires_grad))
            for key, _ in module.named_buffers(recurse=False):
                setattr(module, key, torch.stack([dict(m.named_buffers())[key] for m in own]))

    def batch(self, step: int) -> Batch:
        """Every member's batch of a step, ``member`` in front."""
        found = [self.family.batch(spec, step) for spec in self.specs]
        names = [field.name for field in fields(found[0])]
        return replace(found[0], **{n: _stacked([getattr(b, n) for b in found]) for n in names})

    def losses(
        self, batch: Batch, rngs: Sequence[Any]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss (member) of each member's batch, and parts of it (member) by name."""
        device = next(self.stack.parameters()).device
        drawn = [self.kind.draw(spec, rng) for spec, rng in zip(self.specs, rngs, strict=True)]
        draws = {name: _stacked([each[name] for each in drawn]).to(device) for name in drawn[0]}
        shown = {field.name: getattr(batch, field.name) for field in fields(batch)}
        state = dict(self.stack.named_parameters()) | dict(self.stack.named_buffers())

        def loss(
            state: Mapping[str, torch.Tensor],
            shown: Mapping[str, torch.Tensor],
            draws: Mapping[str, torch.Tensor],
        ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            return functional_call(self.stack, dict(state), (replace(batch, **shown), draws))

        return vmap(loss)(state, shown, draws)

    def clipped(self, most: float) -> torch.Tensor:
        """Norm (member) of each member's gradient, which is cut to what is allowed at most."""
        gradients = [value.grad for value in self.stack.parameters() if value.grad is not None]
        squares = [torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients]
        norms = torch.linalg.vector_norm(torch.stack(squares), dim=0)
        part = (most / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(part.view(-1, *[1] * (gradient.ndim - 1)))
        return norms

    def after_step(self, progress: float) -> None:
        """Follow the optimiser's step, all members alike; progress goes 0 to 1."""
        self.stack.after_step(progress)

    def each(self) -> Iterator[Recipe]:
        """Every member's networks by themselves: copies, one at a time."""
        state = self.stack.state_dict()
        for number, spec in enumerate(self.specs):
            one = self.one[0].to(next(self.stack.parameters()))
            one.load_state_dict({name: value[number] for name, value in state.items()})
            one.spec = spec
            yield one


def _stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(values))
