"""Do the two directions invert each other? x -> E -> G -> x and z -> G -> E -> z."""

from torch import Tensor


def reconstruction_mse(x: Tensor, reconstruction: Tensor) -> float:
    """Return the mean squared error in [0, 1] units, of images in [-1, 1], (N, C, H, W)."""
    return float(((x - reconstruction) / 2).double().square().mean())


def reconstruction_ratio(x: Tensor, reconstruction: Tensor) -> float:
    """Return mean ||x_i - r_i|| over mean ||x_{i+1} - r_i||: 0 ideal, 1 if r tells nothing of x.

    The BiGAN authors' ratio: the baseline compares each reconstruction with another image (the next
    one; the test sets are in no order of class).

    """
    own = (x - reconstruction).flatten(1).double().norm(dim=1).mean()
    other = (x.roll(-1, dims=0) - reconstruction).flatten(1).double().norm(dim=1).mean()
    return float(own / other)


def label_agreement(logits: Tensor, reconstruction_logits: Tensor) -> float:
    """Return the share of images whose reconstruction has the same predicted class; logits in."""
    same = logits.argmax(1) == reconstruction_logits.argmax(1)
    return float(same.double().mean())


def latent_error(z: Tensor, recovered: Tensor) -> float:
    """Return mean ||E(G(z)) - z||^2 over mean ||z - mean z||^2, (N, d).

    0 if E inverts G; 1 if it answers with the prior's mean; 2 for an independent draw of the prior.

    """
    z, recovered = z.double(), recovered.double()
    return float((recovered - z).square().sum() / (z - z.mean(0)).square().sum())
