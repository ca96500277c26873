"""What the student is told: rank as the pairs and the teachers do, with few tokens a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.sparse_encoder import losses

if TYPE_CHECKING:
    from examples.train.student import Student

RANKING = {
    "contrastive": losses.SparseMultipleNegativesRankingLoss,
    "margin_mse": losses.SparseMarginMSELoss,
    "kl": losses.SparseDistillKLDivLoss,
}
"""Name -> loss; all but `contrastive` learn from teachers, and need negatives."""
LEAST_IDF = 1.0
"""Tokens that weigh less in queries count as if they weighed this much, lest the penalty be of stopwords alone."""


class Sum(torch.nn.Module):
    """Several losses at once, over the same vectors."""

    def __init__(self, parts: dict[str, torch.nn.Module]) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleDict(parts)

    def compute_loss_from_embeddings(
        self, embeddings: list[torch.Tensor], labels: torch.Tensor | None
    ) -> dict[str, Any]:
        return {name: part.compute_loss_from_embeddings(embeddings, labels) for name, part in self.parts.items()}


class IdfFlops(losses.FlopsLoss):
    """FLOPS of documents with more tokens than a threshold, where a token costs the less the more it tells.

    The sum over tokens of the square of (mean weight in the batch, times the mean idf, over the token's idf).
    """

    def __init__(self, student: Student, threshold: int) -> None:
        super().__init__(student.encoder, threshold=threshold)
        idf = torch.tensor(student.idf)
        price = idf[idf > 0].mean() / idf.clamp(min=LEAST_IDF)
        self.register_buffer("price", price, persistent=False)

    def compute_loss_from_embeddings(self, embeddings: torch.Tensor) -> torch.Tensor:
        return super().compute_loss_from_embeddings(embeddings * self.price)


class IdfL1(IdfFlops):
    """The mean over documents of the sum of their weights, with the threshold and the prices of `IdfFlops`."""

    def compute_loss_from_embeddings(self, embeddings: torch.Tensor) -> torch.Tensor:
        long = (embeddings != 0).sum(dim=1, keepdim=True) > self.threshold
        return (embeddings * self.price * long).sum(dim=1).mean()


REGULARIZERS = {"flops": IdfFlops, "l1": IdfL1}
"""Name -> penalty."""


def make_loss(
    student: Student,
    names: Sequence[str],
    *,
    penalty: float,
    active: int,
    regularizer: str = "flops",
    mini_batch: int | None = None,
) -> losses.SpladeLoss:
    """Return the sum of the named losses and of the penalty, over rows of pairs and negatives.

    Args:
        student: The model.
        names: Of `RANKING`.
        penalty: The weight of the penalty.
        active: Tokens that a document may have free of penalty.
        regularizer: Of `REGULARIZERS`.
        mini_batch: Texts of a batch that go through the transformer at once, twice each; None takes all, once.
    """
    ranking = Sum({name: RANKING[name](student.encoder) for name in names})
    penalties: dict[str, Any] = {
        "document_regularizer_weight": penalty,
        "document_regularizer": REGULARIZERS[regularizer](student, active),
    }
    if mini_batch is None:
        return losses.SpladeLoss(student.encoder, ranking, **penalties)
    return losses.CachedSpladeLoss(student.encoder, ranking, **penalties, mini_batch_size=mini_batch)


class InBatchKl(torch.nn.Module):
    """The teachers' ranking of a batch's texts for each of its queries.

    A query scores the mean of the text's weights over its tokens, weighed by idf, times the scale: short and long
    queries thus tell texts apart on the scale that the teachers have.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.divergence = torch.nn.KLDivLoss(reduction="batchmean", log_target=True)

    def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """Return the mean over queries of the divergence.

        Args:
            embeddings: The texts [B, V], then one or more columns of queries [B, V].
            labels: The teachers' scores [B, columns, B].
        """
        texts, *queries = embeddings
        means = [query @ texts.T / query.sum(dim=1, keepdim=True).clamp(min=LEAST_IDF) for query in queries]
        scores = self.scale * torch.stack(means, dim=1)
        student, teacher = (rows.flatten(0, 1).float().log_softmax(dim=1) for rows in (scores, labels))
        divergence: torch.Tensor = self.divergence(student, teacher)
        return divergence


class InBatchLoss(losses.SpladeLoss):
    """`InBatchKl` and the penalty, which here is of the first column alone."""

    def __init__(self, student: Student, *, scale: float, penalty: float, active: int, regularizer: str) -> None:
        super().__init__(
            student.encoder,
            InBatchKl(scale),
            document_regularizer_weight=penalty,
            document_regularizer=REGULARIZERS[regularizer](student, active),
        )

    def forward(
        self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        columns = [self.model(column)["sentence_embedding"] for column in sentence_features]
        penalty = self.document_regularizer.compute_loss_from_embeddings(columns[0])
        return {
            "base_loss": self.loss.compute_loss_from_embeddings(columns, labels),
            "document_regularizer_loss": penalty * self.document_regularizer_weight,
        }
