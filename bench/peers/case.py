"""What is raced, by name and number: the networks of `cohort bench train`, their learning rule and their work."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """h_t = f(W h_{t-1} + U x_t), y_t = V h_t; cross-entropy averaged over all trials and counted steps; momentum SGD.

    Weights are a list [U, W, V] of arrays [nets][rows][columns]; a batch is x [nets][T][B][n_in], labels [nets][counted][B].
    """

    n: int = 64
    batch: int = 64
    steps: int = 100
    n_in: int = 4
    n_out: int = 3
    task: str = "decision"  # where batches come from
    activation: str = "tanh"  # f, tanh or relu
    last_only: bool = False  # the loss counts the last step only, else all
    lr: float = 0.003
    momentum: float = 0.9
    gain: float = 0.9  # of the recurrent weights' start
    noise: float = 0.1  # decision: of the stimulus channels
    images: int = 4096  # row_mnist: of random bytes

    @property
    def first(self):
        """The first step that enters the loss."""
        return self.steps - 1 if self.last_only else 0

    @property
    def counted(self):
        return self.steps - self.first

    @property
    def shapes(self):
        return [(self.n, self.n_in), (self.n, self.n), (self.n_out, self.n)]

    @property
    def flop(self):
        """Per network and training step: forward, backward, gradients of weights. Nothing else is ever counted."""
        n = self.n
        return 2 * self.batch * (self.steps * (3 * n * n + 2 * n * self.n_in) + self.counted * 3 * n * self.n_out)


# Perceptual decisions; images row by row, classified at the last one (Li et al., NeurIPS 2023).
TASKS = {
    "decision": Case(),
    "row_mnist": Case(n=100, batch=32, steps=28, n_in=28, n_out=10, task="row_mnist", activation="relu", last_only=True),
}

COHERENCES = (0.0, 6.4, 12.8, 25.6, 51.2)  # of the perceptual decision task, in percent
