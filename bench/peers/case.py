"""What is raced, by name and number: the networks of `cohort bench train`, their learning rule and their work."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """h_t = tanh(W h_{t-1} + U x_t), y_t = V h_t; cross-entropy averaged over all trials and steps; momentum SGD.

    Weights are a list [U, W, V] of arrays [nets][rows][columns]; a batch is x [nets][T][B][n_in], labels [nets][T][B].
    """

    n: int = 64
    batch: int = 64
    steps: int = 100
    n_in: int = 4
    n_out: int = 3
    lr: float = 0.003
    momentum: float = 0.9
    gain: float = 0.9  # of the recurrent weights' start
    noise: float = 0.1  # of the stimulus channels

    @property
    def shapes(self):
        return [(self.n, self.n_in), (self.n, self.n), (self.n_out, self.n)]

    @property
    def flop(self):
        """Per network and training step: forward, backward, gradients of weights. Nothing else is ever counted."""
        n = self.n
        return 2 * self.batch * self.steps * (3 * n * n + 2 * n * self.n_in + 3 * n * self.n_out)


COHERENCES = (0.0, 6.4, 12.8, 25.6, 51.2)  # of the perceptual decision task, in percent
