"""Whose gradient is what: each player's own terms, its own parameters, nothing else."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from zoo.game import Game, Losses, Turn


def take(
    game: Game,
    turn: Turn,
    losses: Losses,
    parameters: Mapping[str, Sequence[Tensor]],
) -> dict[str, list[Tensor]]:
    """Return player -> gradients of the sum of its terms, before anything has moved.

    Players whose terms are the same tensors are differentiated once.

    Args:
        game: for the names in messages.
        turn: who moves.
        losses: player -> term -> live scalar.
        parameters: moving player -> its parameters.

    Raises:
        ValueError: a player without a loss, a term that is no scalar, or a parameter that its
            player's loss does not use (so that a dropped term shows).

    """
    if set(losses) != set(turn.players):
        raise ValueError(
            f"turn {turn.name!r} moves {sorted(turn.players)}, but losses came for {sorted(losses)}"
        )
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in turn.players:
        groups.setdefault(tuple(sorted(map(id, losses[name].values()))), []).append(name)
    result: dict[str, list[Tensor]] = {}
    left = len(groups)
    for names in groups.values():
        left -= 1
        owned = {name: parameters[name] for name in names}
        total = _total(names[0], losses[names[0]])
        flat = [p for own in owned.values() for p in own]
        grads = torch.autograd.grad(total, flat, retain_graph=left > 0, allow_unused=True)
        remaining = iter(_all_used(game, flat, grads))
        result |= {name: [next(remaining) for _ in own] for name, own in owned.items()}
    return {name: averaged(grads) for name, grads in result.items()}


def of_stack(losses: Losses, parameters: Mapping[str, Sequence[Tensor]]) -> dict[str, list[Tensor]]:
    """Return player -> gradients for stacked seeds, whose terms are vectors of shape (S,).

    A seed's terms depend on its own parameters alone, so the gradient of the sum over the seeds is
    each seed's own. That the terms fit the contract was checked before.
    """
    result: dict[str, list[Tensor]] = {}
    for left, (name, own) in zip(
        range(len(parameters) - 1, -1, -1), parameters.items(), strict=True
    ):
        total = torch.stack([term.float() for term in losses[name].values()]).sum()
        result[name] = list(torch.autograd.grad(total, list(own), retain_graph=left > 0))
    return {name: averaged(grads) for name, grads in result.items()}


def _total(player: str, terms: Mapping[str, Tensor]) -> Tensor:
    for name, term in terms.items():
        if term.ndim:
            raise ValueError(f"{player}'s term {name} must be a scalar, got {tuple(term.shape)}")
    total = torch.stack([term.float() for term in terms.values()]).sum()
    if not total.requires_grad:
        raise ValueError(f"the loss of {player} depends on no parameter that moves")
    return total


def _all_used(game: Game, parameters: list[Tensor], grads: Iterable[Tensor | None]) -> list[Tensor]:
    used = []
    for parameter, grad in zip(parameters, grads, strict=True):
        if grad is None:
            name = next(name for name, p in game.named_parameters() if p is parameter)
            raise ValueError(f"parameter {name} moves, but its player's loss does not use it")
        used.append(grad)
    return used


def averaged(grads: list[Tensor]) -> list[Tensor]:
    """Average over data-parallel processes, if any: one all-reduce of the flat gradients."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return grads
    flat = torch.cat([grad.flatten() for grad in grads])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    pieces = flat.split([grad.numel() for grad in grads])  # type: ignore[no-untyped-call]  # untyped in PyTorch
    return [piece.view_as(grad) for piece, grad in zip(pieces, grads, strict=True)]
