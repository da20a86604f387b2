"""Learning-rate schedules of the papers, as factors by training step (from 0).

The step is used in arithmetic alone, so that it may be a number or a tensor.
"""

from collections.abc import Callable

Schedule = Callable[[int], float]
EPOCHS = 400


def constant(step: int) -> float:
    """Return 1: the schedule that leaves the learning rate alone."""
    return 1.0


def second_half_decay(steps: int) -> Schedule:
    """Return the schedule of Donahue et al. 2017: constant, then a hundredfold fall.

    The authors train 200 + 200 epochs. In epoch e = 200 ... 399 (from 0) the learning rate is
    0.01^((e - 199) / 200) of the first. Here an epoch is a 400th of the run.

    Args:
        steps: updates of the whole run; 0 leaves the learning rate constant.

    Raises:
        ValueError: the number is negative.

    """
    if steps < 0:
        raise ValueError(f"decay_over must be the number of updates or 0, got {steps}")
    if steps == 0:
        return constant

    def schedule(step: int) -> float:
        epoch = EPOCHS * step // steps
        fallen = (epoch >= EPOCHS // 2) * (epoch - (EPOCHS // 2 - 1)) / (EPOCHS // 2)
        factor: float = 0.01**fallen
        return factor

    return schedule


def in_turn(first_steps: int, decay_over: int) -> tuple[Schedule, Schedule]:
    """Return the schedules of those who move first, and of those who move when they have stopped.

    Args:
        first_steps: updates of the first part; 0: there is no order, all move from the start.
        decay_over: updates of the whole run, each part of which then decays over its own second
            half; 0: constant.

    Raises:
        ValueError: the first part would leave nothing of the run.

    """
    if first_steps == 0:
        return second_half_decay(decay_over), second_half_decay(decay_over)
    if first_steps < 0 or 0 < decay_over <= first_steps:
        raise ValueError(f"the first {first_steps} updates must be a part of {decay_over}")
    first = second_half_decay(first_steps if decay_over else 0)
    second = second_half_decay(decay_over - first_steps if decay_over else 0)
    return (
        lambda step: (step < first_steps) * first(step),
        lambda step: (step >= first_steps) * second(step - first_steps),
    )
