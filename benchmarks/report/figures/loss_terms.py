"""Loss terms and players in words, for the legends of figures."""

from zoo.registry import FAMILIES

PLAYERS = {"generator_encoder": "generator and encoder"}
TERMS = {
    "real": "x called real",
    "fake": "G(z) called fake",
    "adversarial": "G(z) called real",
    "encoder_pair": "pairs (x, E(x))",
    "generator_pair": "pairs (G(z), z)",
    "difference": "score of real minus score of fake",
    "potential": "quadratic potential",
    "latent_guidance": "z against E(G(z))",
    "image_guidance": "x against G(E(x))",
    "image_reconstruction": "x against G(E(x))",
    "latent_reconstruction": "z against E(G(z))",
    "latent_regression": "z against E(G(z))",
    "reconstruction": "x against G(E(x))",
    "divergence": "divergence of E(x) from the prior",
    "image_sample": "G(z) called real",
    "image_reconstructed": "G(E(x)) called real",
    "latent_code": "E(x) called a prior draw",
    "latent_reconstructed": "E(G(z)) called a prior draw",
    "s_xz_encoder": "pair score of (x, E(x))",
    "s_x_encoder": "image score of x",
    "s_z_encoder": "latent score of E(x)",
    "s_xz_generator": "minus the pair score of (G(z), z)",
    "s_x_generator": "minus the image score of G(z)",
    "s_z_generator": "minus the latent score of z",
    "discriminator/s_xz_encoder": "hinge of the pair score of (x, E(x))",
    "discriminator/s_x_encoder": "hinge of the image score of x",
    "discriminator/s_z_encoder": "hinge of the latent score of E(x)",
    "discriminator/s_xz_generator": "hinge of the pair score of (G(z), z)",
    "discriminator/s_x_generator": "hinge of the image score of G(z)",
    "discriminator/s_z_generator": "hinge of the latent score of z",
    "critic/difference": "score of fake minus score of real",
    "image_critic/hat": "G(z) called fake",
    "image_critic/tilde": "G(E(x)) called fake",
    "latent_critic/real": "z called a prior draw",
    "latent_critic/hat": "E(x) called no prior draw",
    "latent_critic/tilde": "E(G(z)) called no prior draw",
}
"""Term, or player/term where it means something else to another player -> what it looks at; of the
registered families alone, for another's term of the same name may be anything."""


def player_in_words(player: str) -> str:
    """Return a player's name for a title."""
    return PLAYERS.get(player, player.replace("_", " "))


def term_in_words(key: str, game: str) -> str:
    """Return what a term looks at, with its exact key "player/term" of curve.jsonl behind it.

    Args:
        key: as in curve.jsonl.
        game: the family that is played; the words of one from outside are its own.

    """
    term = key.split("/", 1)[1]
    known = (TERMS.get(key) or TERMS.get(term)) if game in FAMILIES else None
    words = known or term.replace("_", " ")
    return f"{words}  [{key}]"
