"""Several seeds of one game, trained at once.

A step of a small network is mostly the dispatch of its operations. Here the parameters of all seeds
are stacked, (S, ...), each turn is mapped over the seeds and written down once as a plain list of
operations, and that list is run at every step: one dispatch serves all seeds, and none is spent on
autograd. Kernels round by the size of a stack and the place in it, so both are part of what a run
is: `training.stacked` and the seed's number say them, and copies fill places whose seeds are not
there. So what a seed computes does not depend, to the bit, on who else trains.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch._guards import TracingContext, tracing
from torch._subclasses import FakeTensorMode
from torch.func import functional_call, vmap
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrize

from benchmarks.planning.config import TrainingSettings
from benchmarks.training import gradients
from benchmarks.training.eager import arrange
from benchmarks.training.optimiser import PlayerOptimiser, averaged_state
from zoo.game import Batch, Game, Losses, Turn

aten = torch.ops.aten
VIEWS = {
    *(aten.alias.default, aten.detach.default, aten.expand.default, aten.permute.default),
    *(aten.select.int, aten.slice.Tensor, aten.squeeze.dims, aten.t.default),
    *(aten.transpose.int, aten.unsqueeze.default, aten.view.default, aten._unsafe_view.default),
}
"""Operations that return another look at the same memory."""


class StackingError(ValueError):
    """A turn that one seed can play, and several at once cannot; the message says what to do."""


def _why(game: Game, turn: Turn, error: Exception) -> str:
    """Say in which line of its file a turn cannot be vectorised, and what to do."""
    file = type(game).losses.__code__.co_filename
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = f"{file}, line {lines[-1]}" if lines else file
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "randomness" in str(error):
        reason = "it draws random numbers; name them in `noise`, which has streams of its own"
    return (
        f"turn {turn.name!r} cannot be played for all seeds in one vectorised step ({where}: "
        f"{reason}). docs/game.md says what a game may use; --set training.stacked=false trains "
        "each seed alone, in plain PyTorch"
    )


class StackedEngine:
    """Plays the games of several seeds as one; each game's tensors become views of the stack.

    Args:
        games: of the seeds that are there.
        seeds: their numbers; a seed's place in the stack is its number modulo the stack's size.
        device: where they play.
        settings: `stacked` is the size of the stack.

    Raises:
        ValueError: two of the seeds have the same place.

    """

    def __init__(
        self,
        games: Sequence[Game],
        seeds: Sequence[int],
        device: torch.device,
        settings: TrainingSettings,
    ) -> None:
        self.device = device
        self.bf16, factor = settings.precision == "bf16", settings.lr_factor or 1.0
        self.places = [seed % settings.stacked for seed in seeds]
        there = dict(zip(self.places, games, strict=True))
        if len(there) < len(games):
            raise ValueError(
                f"seeds {list(seeds)} do not all fit in one stack of {settings.stacked}"
            )
        stacked = [there.get(n) or deepcopy(games[0]) for n in range(settings.stacked)]
        self.games, self.game, self.size = games, games[0], settings.stacked
        self.is_full = self.places == [*range(self.size)]
        self.parameters = _stack([dict(game.named_parameters()) for game in stacked])
        self.buffers = _stack([dict(game.named_buffers()) for game in stacked])
        self.optimisers = {
            name: PlayerOptimiser(self.game, player, self.parameters, factor)
            for name, player in self.game.players.items()
        }
        self.turns: dict[str, Callable[..., list[Tensor]]] = {}
        self.terms: dict[str, dict[str, list[str]]] = {}

    def play(self, turn: Turn, batches: Sequence[Batch], step: int) -> Losses:
        """Play one turn and return its terms, one value for each seed that is there."""
        there = dict(zip(self.places, batches, strict=True))
        full = [there.get(place, batches[0]) for place in range(self.size)]
        each = [(b.x, b.y, b.z, *(b.noise[name] for name in self.game.noise)) for b in full]
        inputs = [torch.stack(own) for own in zip(*each, strict=True)]
        inputs.append(torch.tensor(step, device=self.device))
        if turn.name not in self.turns:
            self._check(turn, batches[0], step)
            self._write_down(turn, inputs)
        with torch.no_grad():
            flat = iter(self.turns[turn.name](*inputs))
        for player in turn.players:
            optimiser = self.optimisers[player]
            optimiser.move([next(flat) for _ in optimiser.parameters], step)
        return {
            player: {name: self._of_seeds(next(flat)) for name in names}
            for player, names in self.terms[turn.name].items()
        }

    def gradient_norms(self) -> dict[str, Tensor]:
        """Return player -> norm of its last gradient before clipping, one value for each seed."""
        return {name: self._of_seeds(o.gradient_norm()) for name, o in self.optimisers.items()}

    def _of_seeds(self, values: Tensor) -> Tensor:
        """Return what the whole stack's values, (S,), are for the seeds that are there."""
        return values if self.is_full else values[self.places]

    def state_dict(self, index: int) -> dict[str, Any]:
        """Return the optimisers' state of one of the seeds that are there."""
        place = self.places[index]
        return {name: optimiser.state_dict(place) for name, optimiser in self.optimisers.items()}

    def load_state_dict(self, state: Mapping[str, Any], index: int) -> None:
        """Go on from a saved state of one of the seeds that are there."""
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state[name], self.places[index])

    def averaged_state(self, index: int) -> dict[str, Tensor] | None:
        """Return a seed's weights with averages where players keep them; None if none does."""
        return averaged_state(self.games[index], self.optimisers, self.places[index])

    def _check(self, turn: Turn, batch: Batch, step: int) -> None:
        """Hold a copy of the first game to the contract, whose errors name what is wrong."""
        game = deepcopy(self.game)
        movers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
        arrange(game, turn, movers)
        parameters = {player: movers[player].parameters for player in turn.players}
        gradients.take(game, turn, game.losses(turn.name, batch, step), parameters)

    def _write_down(self, turn: Turn, inputs: Sequence[Tensor]) -> None:
        """Trace a turn: the forward mapped over the seeds, and each player's gradient."""
        places = (len(self.parameters), len(self.parameters) + len(self.buffers))

        def turn_of_all(*flat: Tensor) -> list[Tensor]:
            parameters = {
                name: value.detach().requires_grad_()
                for name, value in zip(self.parameters, flat, strict=False)
            }
            buffers = dict(zip(self.buffers, flat[places[0] :], strict=False))
            x, y, z, *noise, step = flat[places[1] :]
            batch = Batch(x, y, z, dict(zip(self.game.noise, noise, strict=True)))
            losses = self._losses(turn.name, parameters | buffers, batch, step)
            self.terms[turn.name] = {player: list(losses[player]) for player in turn.players}
            own = {
                player: [parameters[name] for name in self.optimisers[player].names]
                for player in turn.players
            }
            grads = gradients.of_stack(losses, own)
            return [
                *(grad for player in turn.players for grad in grads[player]),
                *(term.float() for player in turn.players for term in losses[player].values()),
            ]

        fixed = [*self.parameters.values(), *self.buffers.values()]
        try:
            self.turns[turn.name] = _plain(turn_of_all, fixed, inputs)
        except Exception as error:  # one seed alone has just passed
            raise StackingError(_why(self.game, turn, error)) from error

    def _losses(self, turn: str, own: Mapping[str, Tensor], batch: Batch, step: Tensor) -> Losses:
        """Return the terms of all seeds, each of shape (S,), as one game computes them."""
        module = _AsModule(self.game)

        def losses(own: dict[str, Tensor], batch: Batch) -> Losses:
            autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)
            with parametrize.cached(), autocast:
                terms: Losses = functional_call(module, own, (turn, batch, step))
            return terms

        mapped: Losses = vmap(losses)({f"game.{name}": t for name, t in own.items()}, batch)
        return mapped


class _AsModule(nn.Module):
    """A game whose forward is its losses, as `functional_call` wants it."""

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.game = game

    def forward(self, turn: str, batch: Batch, step: Tensor) -> Losses:
        return self.game.losses(turn, batch, step)  # type: ignore[arg-type]  # arithmetic only


def _stack(tensors: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Stack each name's tensors and let the originals look into the stack."""
    stacks = {name: torch.stack([own[name].detach() for own in tensors]) for name in tensors[0]}
    for name, stack in stacks.items():
        for own, view in zip(tensors, stack, strict=True):
            own[name].data = view
    return stacks


def _plain(
    function: Callable[..., list[Tensor]], fixed: Sequence[Tensor], inputs: Sequence[Tensor]
) -> GraphModule:
    """Return a function of `inputs` alone as a list of operations without needless ones.

    Args:
        function: of the fixed tensors and then the inputs.
        fixed: tensors that stay where they are and change in place.
        inputs: an example of what changes.

    """
    # Without a mode to share, PyTorch makes one for each operation, which is most of the tracing.
    with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
        # Writing down runs the function once, which must not move anything: on copies.
        written = make_fx(function)(*(tensor.clone() for tensor in fixed), *inputs)
    graph = written.graph
    seen: dict[Any, Node] = {}
    places = [node for node in graph.nodes if node.op == "placeholder"]
    known = dict(zip(places, fixed, strict=False))  # what a node is, if it is there beforehand
    for node in list(graph.nodes):
        if node.op != "call_function":
            continue
        key = (node.target, str(node.args), str(node.kwargs)) if node.target in VIEWS else None
        other = _needless(node) or seen.get(key)
        if other is not None:
            node.replace_all_uses_with(other)
            graph.erase_node(node)
        elif key is not None:
            seen[key] = node
            if all(source in known for source in node.all_input_nodes):
                arguments = torch.fx.map_arg(node.args, known.__getitem__)
                known[node] = node.target(*arguments, **node.kwargs)
    for index, (node, value) in enumerate(known.items()):
        setattr(written, f"known_{index}", value)
        with graph.inserting_before(node):
            node.replace_all_uses_with(graph.create_node("get_attr", f"known_{index}"))
        graph.erase_node(node)
    graph.eliminate_dead_code()
    written.recompile()
    return written


def _needless(node: Node) -> Node | None:
    """Return what a node repeats if it changes neither values nor their layout."""
    source = node.args[0] if node.args else None
    times_one = node.target is aten.mul.Scalar and node.args[1] == 1
    if not (node.target in VIEWS or node.target is aten._to_copy.default or times_one):
        return None
    if not isinstance(source, Node) or "val" not in source.meta:
        return None  # a constant
    a, b = source.meta["val"], node.meta["val"]
    same = a.shape == b.shape and a.stride() == b.stride() and a.dtype == b.dtype
    return source if same else None
