"""Planted faults (`tests.regression.mutations`): exact text, what replaces it, who must notice."""

from tests.regression.fault import BIGAN, Planted
from tests.regression.planted_evaluation import EVALUATION

GAN, VAE = ("controlled gan (eager)",), ("controlled vae",)
AEGAN, LR = ("controlled aegan (eager)",), ("controlled latent_regressor (eager)",)
QP, BIGAN_QP = ("controlled gan_qp (eager)",), ("controlled bigan_qp (eager)",)
BIGBIGAN, WGAN_GP = ("controlled bigbigan (eager)",), ("controlled wgan_gp (eager)",)
BIGAN_FILE, VAE_FILE = "zoo/families/bigan.py", "zoo/families/vae.py"
BIGBIGAN_FILE, GAN_FILE = "zoo/families/bigbigan.py", "zoo/families/gan.py"
WGAN_GP_FILE = "zoo/families/wgan_gp.py"
TRAINED = "benchmarks/regression/training_golden.py"
LOOP, OPTIMISER = "benchmarks/training/loop.py", "benchmarks/training/optimiser.py"


def adam(what: str, old: str, new: str, cases: tuple[str, ...] = BIGAN) -> Planted:
    """Return a fault in the optimiser."""
    return Planted(what, OPTIMISER, old, new, cases)


LOSSES = [
    Planted("sign of a score", "zoo/losses.py", "return F.softplus(-s).mean()",
            "return F.softplus(s).mean()"),
    Planted("sum instead of mean over the batch", "zoo/losses.py", "return F.softplus(s).mean()",
            "return F.softplus(s).sum()"),
    Planted("half-sum dropped", BIGAN_FILE, '"encoder_pair": 0.5 * called_real(s_encoder)',
            '"encoder_pair": called_real(s_encoder)'),
    Planted("labels not swapped", BIGAN_FILE, '"encoder_pair": 0.5 * called_fake(s_encoder)',
            '"encoder_pair": 0.5 * called_real(s_encoder)'),
    Planted("encoder fed fakes", BIGAN_FILE, "s_encoder = self.score_pair(x, self.infer(x))",
            "s_encoder = self.score_pair(x, self.infer(self.G(z)))"),
    Planted("generator pair with the wrong z", BIGAN_FILE, "self.score_pair(self.G(z), z)",
            "self.score_pair(self.G(z), z.roll(1, 0))"),
    Planted("saturating generator loss", GAN_FILE, '{"adversarial": called_real(s_fake)}',
            '{"adversarial": -called_fake(s_fake)}', GAN),
    Planted("weight of the latent regression", "zoo/families/joint_latent_regressor.py",
            '"latent_regression": self.latent_weight * regression',
            '"latent_regression": regression', ("controlled joint_latent_regressor (eager)",)),
    Planted("encoder regresses on other latents", "zoo/families/latent_regressor.py",
            "self.regression(batch.z, self.raw_code(x_hat))",
            "self.regression(batch.z.roll(1, 0), self.raw_code(x_hat))", LR),
    Planted("cross-entropy against z instead of (z + 1) / 2", "zoo/priors.py",
            "binary_cross_entropy_with_logits(raw, (z + 1) / 2)",
            "binary_cross_entropy_with_logits(raw, z)",
            ("uniform prior latent_regressor",)),
    Planted("code not squashed", "zoo/priors.py", "return torch.tanh(raw / 2)", "return raw",
            ("uniform prior autoencoder",)),
    Planted("lambda", "zoo/losses.py", "/ (2 * strength *", "/ (strength *", QP),
    Planted("distance over the batch, not per pair", "zoo/losses.py",
            "return (a - b).abs().flatten(1).mean(1)",
            "return (a - b).abs().mean().expand(len(a))", QP),
    Planted("root of the distance dropped", "zoo/families/gan_qp.py",
            "square().flatten(1).mean(1).sqrt()", "square().flatten(1).mean(1)",
            ("gan_qp distance=l2",)),
    Planted("order of two images not exchanged", "zoo/families/gan_qp.py",
            "cat([fake, real], dim=1)", "cat([fake, fake], dim=1)", ("gan_qp compares",)),
    Planted("sign of the gradient penalty", WGAN_GP_FILE, "self.penalty * (slope - 1)",
            "-self.penalty * (slope - 1)", WGAN_GP),
    Planted("gradient penalty around 0 instead of 1", WGAN_GP_FILE, "(slope - 1).square()",
            "slope.square()", WGAN_GP),
    Planted("gradient penalty on steep gradients alone", WGAN_GP_FILE, "(slope - 1).square()",
            "(slope - 1).relu().square()", WGAN_GP),
    Planted("gradient penalty does not reach the weights", WGAN_GP_FILE,
            "vector_norm(gradient.flatten(1), dim=1)",
            "vector_norm(gradient.detach().flatten(1), dim=1)", WGAN_GP),
    Planted("norm of the whole batch's gradient", WGAN_GP_FILE,
            "vector_norm(gradient.flatten(1), dim=1)", "vector_norm(gradient)", WGAN_GP),
    Planted("images mixed by a number for the batch", WGAN_GP_FILE, 'ndtr(batch.noise["mixing"])',
            'ndtr(batch.noise["mixing"][:1])', WGAN_GP),
    Planted("images mixed by a number that is not uniform", WGAN_GP_FILE, "torch.special.ndtr(",
            "torch.sigmoid(", WGAN_GP),
    Planted("sign of the critic's score", WGAN_GP_FILE, "s_fake - self.score_image(x).mean()",
            "self.score_image(x).mean() - s_fake", WGAN_GP),
    Planted("a critic's step too few", WGAN_GP_FILE, "repeats=5", "repeats=4", WGAN_GP),
    Planted("beta1 of a critic", WGAN_GP_FILE, "Player(critic, lr=1e-4, betas=(0.0, 0.9))",
            "Player(critic, lr=1e-4, betas=(0.5, 0.9))", WGAN_GP),
    Planted("beta2 of a generator", WGAN_GP_FILE, 'Player(("G",), lr=1e-4, betas=(0.0, 0.9))',
            'Player(("G",), lr=1e-4, betas=(0.0, 0.999))', WGAN_GP),
    Planted("stop-gradient dropped", "zoo/families/bigan_qp.py",
            "z_hat, x_hat = z_hat.detach(), x_hat.detach()", "z_hat, x_hat = z_hat, x_hat",
            BIGAN_QP),
    Planted("b1 and b2 swapped", "zoo/families/bigan_qp.py",
            "self.latent_weight, self.image_weight = latent_weight, image_weight",
            "self.latent_weight, self.image_weight = image_weight, latent_weight", BIGAN_QP),
    Planted("latent part of the distance dropped", "zoo/families/bigan_qp.py",
            "mean_absolute_each(x, x_hat) + mean_absolute_each(z_hat, z)",
            "mean_absolute_each(x, x_hat)", BIGAN_QP),
    Planted("label smoothing off", "zoo/families/aegan.py", "REAL, FAKE = 0.95, 0.05",
            "REAL, FAKE = 1.0, 0.0", AEGAN),
    Planted("weights of the critics' fakes", "zoo/families/aegan.py", "0.25 * bce(s_x_til, FAKE)",
            "0.5 * bce(s_x_til, FAKE)", AEGAN),
    Planted("latent reconstruction by the absolute error", "zoo/families/aegan.py",
            "self.latent_weight * mean_square(z, z_til)",
            "self.latent_weight * mean_absolute(z, z_til)", AEGAN),
    Planted("input noise off", "zoo/families/aegan.py", "value + self.input_noise * batch",
            "value + 0 * batch",
            ("aegan input_noise",)),
    Planted("half-life off by one step", "zoo/families/aegan.py", "0.5 ** (step / self.half_life)",
            "0.5 ** ((step + 1) / self.half_life)", ("aegan half_life",)),
    Planted("kinds of the critics' blocks exchanged", "zoo/families/aegan_blocks.py",
            '("real", "hat", "real", "tilde")', '("real", "tilde", "real", "hat")',
            ("aegan blocks=True input_noise=0.1 (eager)",)),
    Planted("hinge of a sum", BIGBIGAN_FILE,
            "{name: loss(s, y) for name, (s, y) in scores.items() if s is not None}",
            "{name: loss((s_xz + s_x + s_z) * (y > 0) + s * (y < 0), y) / (3 if y > 0 else 1)\n"
            "                for name, (s, y) in scores.items()}", BIGBIGAN),
    Planted("hinge's margin", "zoo/losses.py", "F.relu(1 - y * s)", "F.relu(2 - y * s)", BIGBIGAN),
    Planted("encoder noise off", "zoo/game.py", "self.scale_of(self.scale(hidden)) * noise",
            "self.scale_of(self.scale(hidden)) * 0 * noise", BIGBIGAN),
    Planted("scale without softplus", BIGBIGAN_FILE, "return softplus(raw)",
            "return raw.exp()", BIGBIGAN),
    Planted("spectral norm off", "zoo/networks/spectral.py",
            "return weight / torch.dot(u, torch.mv(matrix, v))", "return weight + 0 * u[0] * v[0]",
            BIGBIGAN),
    Planted("power iteration off", "zoo/networks/spectral.py", "        if self.training:\n",
            "        if False:\n", BIGBIGAN),
    Planted("class condition dropped", "zoo/families/bigbigan_classes.py",
            "s + (s_xc * self._one_hot(c)).sum(1)",
            "s + 0 * (s_xc * self._one_hot(c)).sum(1)", ("bigbigan classes",)),
    Planted("divergence without its logarithm", VAE_FILE, "- 1 - 2 * log_scale)", "- 1)", VAE),
    Planted("variance of the likelihood", VAE_FILE, "squared_error / (2 * self.variance)",
            "squared_error / self.variance", VAE),
    Planted("log sigma read as log of the variance", "zoo/families/ali.py", "return raw.exp()",
            "return (raw / 2).exp()", ("controlled ali (eager)",)),
]  # fmt: skip

STEPS = [
    Planted("every seed of a stack gets the first one's averages",
            "benchmarks/training/optimiser.py", "average[seed].clone()", "average[0].clone()",
            ("option bigbigan average=0.9 (stacked)",)),
    Planted("every seed of a stack gets the first one's other networks",
            "benchmarks/training/stacked.py", "self.games[index], self.optimisers",
            "self.game, self.optimisers", ("option bigbigan average=0.9 (stacked)",)),
    adam("weight decay off", "weight_decay=self.player.l2", "weight_decay=0.0"),
    adam("beta1", "beta1=self.player.betas[0]", "beta1=0.6"),
    adam("beta2", "beta2=self.player.betas[1]", "beta2=0.99"),
    adam("epsilon", "eps=self.player.eps", "eps=1e-8", AEGAN),
    adam("learning rate × 0.5", "lr=lr * self.player.schedule(step)",
         "lr=0.5 * lr * self.player.schedule(step)"),
    adam("learning rate × 2", "lr=lr * self.player.schedule(step)",
         "lr=2 * lr * self.player.schedule(step)"),
    adam("lr_factor not applied", "player.lr_of(network) * lr_factor",
         "player.lr_of(network)", ("setting lr_factor (eager)",)),
    adam("bias correction of Adam restarted", "self.steps += 1", "self.steps.fill_(1)"),
    adam("clipping off", "if self.player.clip is not None:", "if False:", AEGAN),
    adam("clipping of all tensors together", 'if clip.of == "player":', "if True:", AEGAN),
    adam("average's decay taken the wrong way", "average.lerp_(parameter, 1 - self.player.average)",
         "average.lerp_(parameter, self.player.average)", ("bigbigan average",)),
    adam("clipping in the stacked engine takes seeds together",
         "torch.linalg.vector_norm(grad.reshape(len(grad), -1), dim=1)",
         "torch.linalg.vector_norm(grad).expand(len(grad))", ("controlled aegan (stacked)",)),
    Planted("encoder's learning rate", BIGBIGAN_FILE, "2e-4 * encoder_lr_factor", "2e-4",
            ("encoder_lr_factor",)),
    Planted("schedule off by one epoch", "zoo/schedules.py", "(epoch - (EPOCHS // 2 - 1))",
            "(epoch - EPOCHS // 2)", ("option bigan decay_over",)),
    Planted("schedule off by one step", "zoo/schedules.py", "epoch = EPOCHS * step // steps",
            "epoch = EPOCHS * (step + 1) // steps", ("option bigan decay_over",)),
    Planted("second part starts a step early", "zoo/schedules.py", "(step >= first_steps) *",
            "(step >= first_steps - 1) *", ("gan_steps=6 (eager)",)),
    Planted("update order: one player after the other", "benchmarks/training/eager.py",
            "    grads = gradients.take(game, turn, losses, parameters)\n"
            "    for player in turn.players:\n"
            "        optimisers[player].move(grads[player], step)\n",
            "    for player in turn.players:\n"
            "        losses = game.losses(turn.name, batch, step)\n"
            "        grads = gradients.take(game, turn, losses, parameters)\n"
            "        optimisers[player].move(grads[player], step)\n"),
    Planted("a turn too few", LOOP, "for _ in range(turn.repeats):", "for _ in range(1):",
            BIGBIGAN),
    Planted("turns in another order", LOOP, "for turn in self.turns:",
            "for turn in reversed(self.turns):", AEGAN),
    Planted("the same batch in all turns", LOOP,
            "        batches = [member.draw() for member in self.members]\n",
            "        if getattr(self, 'of_step', -1) != self.step:\n"
            "            self.batches = [member.draw() for member in self.members]\n"
            "        self.of_step = self.step\n"
            "        batches = self.batches\n", AEGAN),
    Planted("90 % of the steps", LOOP,
            "self.settings: TrainingSettings = members[0].run.training",
            "asked = members[0].run.training\n"
            "        self.settings = asked.model_copy(update={'steps': asked.steps * 9 // 10})"),
    Planted("gradients given to the other player", "benchmarks/training/stacked.py",
            "for player in turn.players:\n            optimiser",
            "for player in reversed(turn.players):\n            optimiser",
            ("controlled aegan (stacked)",)),
    Planted("stacked seeds see one batch", "benchmarks/training/stacked.py",
            "full = [there.get(place, batches[0]) for place in range(self.size)]",
            "full = [batches[0] for place in range(self.size)]", ("controlled bigan (stacked)",)),
]  # fmt: skip

DATA = [
    Planted("range of the images", LOOP, "to_range(images, *game.image_range)",
            "to_range(images, 0.0, 1.0)"),
    Planted("range of the authors' body", LOOP, "to_range(images, *game.image_range)",
            "to_range(images)", ("faithful bigan (eager)", "faithful ali (eager)")),
    Planted("grey levels over 256", "datasets/images.py", "((high - low) / 255)",
            "((high - low) / 256)"),
    Planted("90 % of the data", "datasets/images.py", "torch.randint(len(self), (n,)",
            "torch.randint(len(self) * 9 // 10, (n,)"),
    Planted("a class missing", LOOP, "self.run, self.data, self.folder, self.watch, self.device = "
            "run, data, folder, watch, device",
            "self.run, self.folder, self.watch, self.device = run, folder, watch, device\n"
            "        kept = data.labels != 9\n"
            "        self.data = Split(data.images[kept], data.labels[kept])"),
    Planted("the class to leave out stays", "datasets/images.py", "kept = split.labels != label",
            "kept = split.labels >= 0", ("setting left_out",)),
    Planted("labels of other images", "datasets/images.py",
            "return self.images[index], self.labels[index]",
            "return self.images[index], self.labels[index.roll(1)]", ("bigbigan classes",)),
    Planted("a seed used twice", LOOP, 'derive(0, run.dataset, run.seed, "weights", network)',
            'derive(0, run.dataset, run.seed // 2, "weights", network)'),
    Planted("streams of one seed used twice", LOOP, "Streams(device, 0, run.dataset, run.seed)",
            "Streams(device, 0, run.dataset, run.seed // 2)"),
    Planted("a stream drawn twice", LOOP, 'game.sample_prior(n, self.streams["prior"])',
            'game.sample_prior(n + 1, self.streams["prior"])[1:]'),
    Planted("noise from the stream of the prior", LOOP, 'generator=self.streams["noise"]',
            'generator=self.streams["prior"]', BIGBIGAN),
    Planted("uniform prior on half of its support", "zoo/priors.py", "return 2 * z - 1",
            "return z", ("uniform prior ali",)),
    Planted("first weights: all networks from one seed", "zoo/networks/__init__.py",
            "torch.manual_seed(self.seed_of(name))", 'torch.manual_seed(self.seed_of("G"))'),
    Planted("first weights of the authors' body", "zoo/networks/bigan_paper.py", "STD = 0.02",
            "STD = 0.03", ("body bigan_paper (eager)",)),
    Planted("output layer not started at zero", "zoo/game.py", "nn.init.zeros_(parameter)",
            "nn.init.constant_(parameter, 0.01)", ("latent_regressor zero_head=True (eager)",)),
    Planted("slope of the activations", "zoo/networks/mlp.py", "SLOPE = 0.2", "SLOPE = 0.1"),
    Planted("batch norm in the critic", "zoo/networks/mlp.py",
            "*_plain(pixels, width), *_plain(width, width))",
            "*_plain(pixels, width), *_batch_normed(width, width, nn.LeakyReLU(SLOPE)))"),
    Planted("attention's gamma stays zero", "zoo/networks/_layers.py",
            "x + self.gamma * self.out(mixed)", "x + 0 * self.gamma * self.out(mixed)",
            ("body resnet_attention (eager)",)),
    Planted("epsilon of batch norm", "zoo/networks/qp.py", "EPS = 1e-3", "EPS = 1e-5",
            ("body qp (eager)",)),
    Planted("largest of the pieces becomes their mean", "zoo/networks/ali_toy_paper.py",
            ".amax(1)", ".mean(1)", ("faithful ali (eager)",)),
    Planted("z not concatenated a second time", "zoo/networks/aegan_paper.py",
            "torch.cat([z, layer(z)], dim=1)", "torch.cat([z, 0 * layer(z)], dim=1)",
            ("body aegan_paper (eager)",)),
    Planted("first weights of the residual body", "zoo/networks/resnet.py",
            "nn.init.orthogonal_(module.weight)", "nn.init.xavier_uniform_(module.weight)",
            ("body resnet (eager)",)),
    Planted("convolutions narrower", "zoo/networks/conv.py", "width // 8)]", "width // 16)]",
            ("body conv (eager)",)),
]  # fmt: skip

PLANTED = [*LOSSES, *STEPS, *DATA, *EVALUATION]

HARMLESS = [
    Planted("noise of 1e-14 on first weights", "zoo/networks/__init__.py",
            "            network = make()\n",
            "            network = make()\n"
            "            if torch.get_default_dtype() == torch.float64:\n"
            "                for parameter in network.parameters():\n"
            "                    parameter.data *= 1 + 1e-14 * torch.randn_like(parameter)\n"
            "                torch.manual_seed(self.seed_of(name))\n"
            "                make()\n",
            ("controlled", "faithful", "body", "option", "setting")),
    Planted("noise of 1e-6 on first weights in single precision", "zoo/networks/__init__.py",
            "            network = make()\n",
            "            network = make()\n"
            "            for parameter in network.parameters():\n"
            "                parameter.data *= 1 + 1e-6 * torch.randn_like(parameter)\n",
            ("single precision",)),
    Planted("two threads", TRAINED, "    runs = case.of_engine(engine)\n",
            "    torch.set_num_threads(2)\n    runs = case.of_engine(engine)\n",
            ("controlled", "faithful", "body", "single")),
    Planted("noise of 1e-7 on evaluated weights", "benchmarks/regression/evaluation_golden.py",
            "    copy = scoring_copy(game, train, evaluator.protocol)\n    rows",
            "    import torch\n"
            "    torch.manual_seed(0)\n"
            "    for p in game.parameters():\n"
            "        p.data *= 1 + 1e-7 * torch.randn_like(p)\n"
            "    copy = scoring_copy(game, train, evaluator.protocol)\n    rows",
            ("evaluation of",)),
]  # fmt: skip
"""What another machine or version may do, which must not move a golden number."""
