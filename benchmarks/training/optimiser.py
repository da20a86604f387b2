"""One Adam per player, built from what the player declares."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.game import Clip, Game, Player


class PlayerOptimiser:
    """Moves a player's parameters by given gradients; keeps its averaged weights if it has any.

    The step is PyTorch's fused Adam kernel, called with lists made once: the class around it looks
    every parameter up again at each step, which costs a small network more than the step itself.

    Args:
        game: names the parameters.
        player: what owns them and how they move.
        stacked: name -> the same parameter of several seeds, (S, ...), if they move together.
        lr_factor: times the player's learning rates.

    """

    def __init__(
        self,
        game: Game,
        player: Player,
        stacked: Mapping[str, Tensor] | None = None,
        lr_factor: float = 1.0,
    ) -> None:
        self.player, self.is_stacked = player, stacked is not None
        names = {id(parameter): name for name, parameter in game.named_parameters()}
        by_lr: dict[float, list[str]] = {}
        for network in player.networks:
            own = [names[id(p)] for p in game.networks[network].parameters()]
            by_lr.setdefault(player.lr_of(network) * lr_factor, []).extend(own)
        self.names = [name for own in by_lr.values() for name in own]
        tensors = dict(game.named_parameters()) if stacked is None else stacked
        self.parameters = [tensors[name] for name in self.names]
        self.groups = [(lr, len(own)) for lr, own in by_lr.items()]
        self.first = [torch.zeros_like(p) for p in self.parameters]
        self.second = [torch.zeros_like(p) for p in self.parameters]
        # In single precision whatever the weights have: the fused kernel wants it so.
        self.steps = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)
        self.averages = (
            [p.detach().clone() for p in self.parameters] if player.average is not None else []
        )
        self.gradients: Sequence[Tensor] = ()

    def let_move(self, moving: bool) -> None:
        """Freeze the player's parameters or let them move; costs nothing if they already are so."""
        if self.parameters and self.parameters[0].requires_grad != moving:
            for parameter in self.parameters:
                parameter.requires_grad_(moving)

    @torch.no_grad()
    def move(self, grads: Sequence[Tensor], step: int) -> None:
        """Take one step by these gradients at a training step counted from 0."""
        self.gradients = grads
        if self.player.clip is not None:
            grads = clipped(grads, self.player.clip, self.is_stacked)
        # The fused kernel reads memory in order: a transposed gradient would be scrambled.
        grads = [
            grad if grad.stride() == p.stride() else torch.empty_like(p).copy_(grad)
            for p, grad in zip(self.parameters, grads, strict=True)
        ]
        self.steps += 1
        start = 0
        for lr, length in self.groups:
            own = slice(start, start + length)
            torch._fused_adam_(
                self.parameters[own],
                grads[own],
                self.first[own],
                self.second[own],
                [],
                [self.steps] * length,
                lr=lr * self.player.schedule(step),
                beta1=self.player.betas[0],
                beta2=self.player.betas[1],
                weight_decay=self.player.l2,
                eps=self.player.eps,
                amsgrad=False,
                maximize=False,
            )
            start += length
        if self.player.average is not None:
            for average, parameter in zip(self.averages, self.parameters, strict=True):
                average.lerp_(parameter, 1 - self.player.average)

    def gradient_norm(self) -> Tensor:
        """Return the norm of the last gradient, before any clipping: (), or (S,) if stacked."""
        norms = torch.stack(_norms(self.gradients, self.is_stacked))
        total: Tensor = torch.linalg.vector_norm(norms, dim=0)
        return total

    def state_dict(self, seed: int | None = None) -> dict[str, Any]:
        """Return Adam's state and the averaged weights, of one seed if they are stacked."""
        return {"steps": self.steps.clone()} | {
            name: [(tensor if seed is None else tensor[seed]).clone() for tensor in tensors]
            for name, tensors in self._moments().items()
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any], seed: int | None = None) -> None:
        """Go on from a saved state."""
        self.steps.copy_(state["steps"])
        for name, tensors in self._moments().items():
            for tensor, saved in zip(tensors, state[name], strict=True):
                (tensor if seed is None else tensor[seed]).copy_(saved)

    def _moments(self) -> dict[str, list[Tensor]]:
        return {"first": self.first, "second": self.second, "averages": self.averages}


def clipped(grads: Sequence[Tensor], clip: Clip, stacked: bool = False) -> list[Tensor]:
    """Scale gradients down to the clip's norm, each tensor by itself or all of them together."""
    norms = _norms(grads, stacked)
    if clip.of == "player":
        norms = [torch.linalg.vector_norm(torch.stack(norms), dim=0)] * len(norms)
    scales = [clip.norm / norm.clamp(min=clip.norm) for norm in norms]
    if stacked:
        scales = [
            scale.view(-1, *[1] * (grad.ndim - 1))
            for scale, grad in zip(scales, grads, strict=True)
        ]
    return [grad * scale for grad, scale in zip(grads, scales, strict=True)]


def _norms(grads: Sequence[Tensor], stacked: bool) -> list[Tensor]:
    """Return each gradient's norm, of every seed by itself if they are stacked."""
    if not stacked:
        return list(torch._foreach_norm(list(grads)))
    # A parameter of one number, such as an attention's gamma, is a vector of seeds.
    return [torch.linalg.vector_norm(grad.reshape(len(grad), -1), dim=1) for grad in grads]


def averaged_state(
    game: Game, optimisers: Mapping[str, PlayerOptimiser], seed: int | None = None
) -> dict[str, Tensor] | None:
    """Return the game's state with averaged weights where players keep them; None if none does."""
    if not any(optimiser.averages for optimiser in optimisers.values()):
        return None
    state = {name: tensor.detach().clone() for name, tensor in game.state_dict().items()}
    for optimiser in optimisers.values():
        for name, average in zip(optimiser.names, optimiser.averages, strict=False):
            state[name] = average if seed is None else average[seed].clone()
    return state
