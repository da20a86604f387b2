"""One Adam per player, built from what the player declares."""

import torch
from torch import Tensor, nn

from zoo.game import Clip, Game, Player


class PlayerOptimiser:
    """Moves a player's parameters by given gradients; keeps its averaged weights if it has any."""

    def __init__(self, game: Game, player: Player) -> None:
        self.player = player
        networks = game.networks
        by_lr: dict[float, list[nn.Parameter]] = {}
        for name in player.networks:
            by_lr.setdefault(player.lr_of(name), []).extend(networks[name].parameters())
        self.parameters = [p for own in by_lr.values() for p in own]
        self.base_lr = list(by_lr)
        self.adam = torch.optim.Adam(
            [{"params": own, "lr": lr} for lr, own in by_lr.items()],
            betas=player.betas,
            eps=player.eps,
            weight_decay=player.l2,
            fused=True,
        )
        self.averages = (
            [p.detach().clone() for p in self.parameters] if player.average is not None else []
        )

    def let_move(self, moving: bool) -> None:
        """Freeze the player's parameters or let them move; costs nothing if they already are so."""
        if self.parameters and self.parameters[0].requires_grad != moving:
            for parameter in self.parameters:
                parameter.requires_grad_(moving)

    @torch.no_grad()
    def move(self, grads: list[Tensor], step: int) -> None:
        """Take one step by these gradients at a training step counted from 0."""
        for group, lr in zip(self.adam.param_groups, self.base_lr, strict=True):
            group["lr"] = lr * self.player.schedule(step)
        if self.player.clip is not None:
            grads = clipped(grads, self.player.clip)
        for parameter, grad in zip(self.parameters, grads, strict=True):
            # The fused kernel reads memory in order: a transposed gradient would be scrambled.
            same = grad.stride() == parameter.stride()
            parameter.grad = grad if same else torch.empty_like(parameter).copy_(grad)
        self.adam.step()
        for parameter in self.parameters:
            parameter.grad = None
        if self.player.average is not None:
            for average, parameter in zip(self.averages, self.parameters, strict=True):
                average.lerp_(parameter, 1 - self.player.average)

    def state_dict(self) -> dict[str, object]:
        """Return Adam's state and the averaged weights."""
        return {"adam": self.adam.state_dict(), "averages": self.averages}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from a saved state."""
        self.adam.load_state_dict(state["adam"])  # type: ignore[arg-type]  # torch.load is untyped
        saved = state["averages"]
        assert isinstance(saved, list)
        for average, value in zip(self.averages, saved, strict=True):
            average.copy_(value)


def clipped(grads: list[Tensor], clip: Clip) -> list[Tensor]:
    """Scale gradients down to the clip's norm, each tensor by itself or all of them together."""
    if clip.of == "player":
        total = torch.linalg.vector_norm(torch.stack([g.norm() for g in grads]))
        scale = clip.norm / total.clamp(min=clip.norm)
        return [grad * scale for grad in grads]
    return [grad * (clip.norm / grad.norm().clamp(min=clip.norm)) for grad in grads]


def averaged_state(game: Game, optimisers: dict[str, PlayerOptimiser]) -> dict[str, Tensor] | None:
    """Return the game's state with averaged weights where players keep them; None if none does."""
    if not any(optimiser.averages for optimiser in optimisers.values()):
        return None
    state = {name: tensor.detach().clone() for name, tensor in game.state_dict().items()}
    names: dict[nn.Parameter, str] = {p: name for name, p in game.named_parameters()}
    for optimiser in optimisers.values():
        for parameter, average in zip(optimiser.parameters, optimiser.averages, strict=False):
            state[names[parameter]] = average
    return state
