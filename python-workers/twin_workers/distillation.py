"""What a student is taught by the probabilities of a teacher, beside the right answers."""

import torch
from torch.nn.functional import log_softmax


def teaching_losses(student: torch.Tensor, teacher: torch.Tensor, temperature: float, form: str) -> torch.Tensor:
    """
    What each token teaches, in nats, `[…]`, from logits of both, `[…, vocabulary]`.

    `cross-entropies`: H(softmax(z_t / tau), softmax(z_s / tau)). `divergence`: tau^2 KL(softmax(z_t / tau) || softmax(z_s / tau)),
    whose gradients keep their size at every temperature (Hinton et al., 2015, arXiv:1503.02531). The gradients of the two differ by
    the factor tau^2 alone.
    """
    taught = log_softmax(teacher.float() / temperature, -1)
    learned = log_softmax(student.float() / temperature, -1)
    if form == "cross-entropies":
        return -(taught.exp() * learned).sum(-1)
    return temperature**2 * (taught.exp() * (taught - learned)).sum(-1)
