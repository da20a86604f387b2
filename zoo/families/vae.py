"""VAE: a likelihood instead of a game; the reference for blur.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes", https://arxiv.org/abs/1312.6114, with a
Gaussian likelihood of fixed variance v:

    L = E_x [ E_{q(z|x)} [-log p(x|z)] + KL(q(z|x) || p(z)) ]

    -log p(x|z) = ||x - G(z)||^2 / (2 v) + constant
    q(z|x)      = N(mu(x), sigma(x)^2),  z = mu + sigma * noise,  one draw
    KL          = 1/2 sum_j (mu_j^2 + sigma_j^2 - 1 - log sigma_j^2)        for p(z) = N(0, I)

Sums over pixels and latent dimensions, mean over the batch. KL has weight 1, so v alone sets how
much the code may say: a large one blurs. The paper fixes no value. 0.05, for images in [-1, 1], is
near the squared error per pixel that the shared networks then reach, which is the v of the greatest
likelihood.

Networks and optimiser are those of `autoencoder`, so that only the prior, the noise and the
divergence are new; the added scale head says log sigma.
"""

from torch import Tensor

from zoo.game import Batch, Builder, Losses, Player, StochasticEncoder, Turn
from zoo.losses import mean_square
from zoo.priors import Normal, Prior


class VAE(StochasticEncoder):
    """One player, one turn, and a prior.

    Args:
        build: makes the networks.
        prior: p(z), which must be N(0, I).
        variance: v of the likelihood, per pixel.

    """

    def __init__(self, build: Builder, prior: Prior, variance: float = 0.05) -> None:
        if not isinstance(prior, Normal):
            raise ValueError("the VAE's divergence is that from a Gaussian prior: prior = normal")
        if variance <= 0:
            raise ValueError(f"variance must be positive, got {variance}")
        super().__init__(build("G", "E", "mean", "scale"), prior)
        self.variance = variance
        self.noise = {"encoder": (prior.dim,)}
        self.players = {"autoencoder": Player(("G", "E", "mean", "scale"), lr=2e-4, l2=2.5e-5)}
        self.turns = (Turn("reconstruct", ("autoencoder",)),)

    def scale_of(self, raw: Tensor) -> Tensor:
        """The scale head says log sigma."""
        return raw.exp()

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both parts of the bound, in nats."""
        x, hidden = batch.x, self.E(batch.x)
        mean, log_scale = self.mean(hidden), self.scale(hidden)
        scale = self.scale_of(log_scale)
        z = mean + scale * batch.noise["encoder"]
        squared_error = x[0].numel() * mean_square(x, self.G(z))
        divergence = 0.5 * (mean.square() + scale.square() - 1 - 2 * log_scale).sum(1).mean()
        return {
            "autoencoder": {
                "reconstruction": squared_error / (2 * self.variance),
                "divergence": divergence,
            }
        }


TITLE, COLOUR = "VAE", "#7A7A20"
LABELS = {
    "reconstruction": "x against G(E(x))",
    "divergence": "divergence of E(x) from the prior",
}
NOTES = ("a Gaussian likelihood of variance {variance:g} per pixel",)
Family = VAE
