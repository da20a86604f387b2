"""Every random number of a training comes from a named stream that can be saved."""

import hashlib
from typing import Any

import torch

NAMES = ("data", "prior", "noise")


def derive(*axes: object) -> int:
    """Return a 63-bit seed from named axes, independent of every other combination of axes."""
    digest = hashlib.sha256("/".join(map(str, axes)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Streams:
    """Generators on the training device: "data" (which images), "prior" (z), "noise".

    The global stream serves what takes no generator (dropout); it is seeded and saved as well.
    CPU and CUDA streams differ, so a state belongs to one kind of device.
    """

    def __init__(self, device: torch.device, *axes: object) -> None:
        self.generators = {
            name: torch.Generator(device).manual_seed(derive(*axes, name)) for name in NAMES
        }
        self.device = device
        torch.manual_seed(derive(*axes, "global"))

    def __getitem__(self, name: str) -> torch.Generator:
        return self.generators[name]

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all streams, as tensors."""
        states = {name: generator.get_state() for name, generator in self.generators.items()}
        states["global"] = torch.get_rng_state()
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return states

    def load_state_dict(self, states: dict[str, Any]) -> None:
        """Go on from saved states."""
        for name, generator in self.generators.items():
            generator.set_state(states[name].cpu())
        torch.set_rng_state(states["global"].cpu())
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"].cpu(), self.device)
