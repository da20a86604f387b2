"""Loss terms and players in words, for the legends of figures."""

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
    "s_xz_generator": "pair score of (G(z), z)",
    "s_x_generator": "image score of G(z)",
    "s_z_generator": "latent score of z",
    "image_critic/hat": "G(z) called fake",
    "image_critic/tilde": "G(E(x)) called fake",
    "latent_critic/real": "z called a prior draw",
    "latent_critic/hat": "E(x) called no prior draw",
    "latent_critic/tilde": "E(G(z)) called no prior draw",
}
"""Term, or player/term where it means something else to another player -> what it looks at."""


def player_in_words(player: str) -> str:
    """Return a player's name for a title."""
    return PLAYERS.get(player, player.replace("_", " "))


def term_in_words(key: str) -> str:
    """Return what a term looks at, with its exact key "player/term" of curve.jsonl behind it."""
    term = key.split("/", 1)[1]
    words = TERMS.get(key) or TERMS.get(term) or term.replace("_", " ")
    return f"{words}  [{key}]"
