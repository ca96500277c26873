"""Catalogue entries of the OpenSearch project's models.

Revisions are the commits that were current when this catalogue was made; relevance is what the model cards state.
`v1` has none: the commits of it that are publicly recorded (12b65cf6 and older) are of 2024 and precede the files of a
`SparseEncoder`, so the commit found at download is recorded with the files instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from opensearch_neural_sparse.models.catalog.benchmarks import beir, miracl
from opensearch_neural_sparse.models.relevance import PublishedScores, Relevance
from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec

_HUB = "opensearch-project/opensearch-neural-sparse-encoding-"
_SERVER = "amazon/neural-sparse/opensearch-neural-sparse-encoding-"
_LICENCE = "Apache-2.0"
_V3_IN_DOMAIN = ("FEVER", "FiQA", "HotpotQA", "NFCorpus", "NQ", "Quora", "SciFact")
_PRUNED = "max_ratio:0.1"
"""Pruning of the v3 models' artefacts for the server, and of the second row that the multilingual model publishes."""
_COUNTED_TWICE = "The card's 133M counts the decoder, which is tied to the embeddings, a second time."
_MIRACL = miracl(
    (0.670, 0.740, 0.542, 0.558, 0.582, 0.486, 0.658, 0.740, 0.562, 0.514, 0.669, 0.767, 0.768, 0.607, 0.575)
)
_MIRACL_PRUNED = miracl(
    (0.667, 0.740, 0.537, 0.555, 0.576, 0.481, 0.655, 0.737, 0.558, 0.511, 0.664, 0.761, 0.766, 0.604, 0.572)
)


def _beir(average: float, flops: float, rows: Sequence[float], in_domain: tuple[str, ...] = ()) -> Relevance:
    return Relevance(beir=beir(rows), beir_average=average, flops=flops, in_domain=in_domain)


OPENSEARCH: tuple[ModelSpec, ...] = (
    ModelSpec(
        id=_HUB + "v1",
        name="v1",
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        vocabulary_size=30_522,
        parameters=109_514_298,
        backbone="BERT base",
        licence=_LICENCE,
        server_name=_SERVER + "v1",
        server_version="1.0.1",
        note=_COUNTED_TWICE,
        relevance=_beir(
            0.524,
            11.4,
            (0.771, 0.360, 0.553, 0.697, 0.376, 0.508, 0.278, 0.447, 0.164, 0.821, 0.263, 0.723, 0.856),
        ),
    ),
    ModelSpec(
        id=_HUB + "v2-distill",
        name="v2-distill",
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        revision="269e6638b2c4f648996691f6d751495285d8f330",
        vocabulary_size=30_522,
        parameters=66_985_530,
        backbone="DistilBERT base",
        licence=_LICENCE,
        server_name=_SERVER + "v2-distill",
        server_version="1.0.0",
        relevance=_beir(
            0.528,
            8.3,
            (0.775, 0.347, 0.561, 0.685, 0.374, 0.551, 0.278, 0.435, 0.173, 0.849, 0.249, 0.722, 0.863),
        ),
    ),
    ModelSpec(
        id=_HUB + "doc-v1",
        name="doc-v1",
        mode=Mode.DOC_ONLY,
        activation=Activation.RELU,
        revision="98cdcbd72867c547f72f2b7b7bed9cdf9f09922d",
        vocabulary_size=30_522,
        parameters=109_514_298,
        backbone="BERT base",
        licence=_LICENCE,
        server_name=_SERVER + "doc-v1",
        server_version="1.0.1",
        note=_COUNTED_TWICE,
        relevance=_beir(
            0.490,
            2.3,
            (0.707, 0.352, 0.521, 0.677, 0.344, 0.461, 0.294, 0.412, 0.154, 0.743, 0.202, 0.716, 0.788),
        ),
    ),
    ModelSpec(
        id=_HUB + "doc-v2-distill",
        name="doc-v2-distill",
        mode=Mode.DOC_ONLY,
        activation=Activation.RELU,
        revision="8921a26c78b8559d6604eb1f5c0b74c079bee38f",
        vocabulary_size=30_522,
        parameters=66_985_530,
        backbone="DistilBERT base",
        licence=_LICENCE,
        server_name=_SERVER + "doc-v2-distill",
        server_version="1.0.0",
        relevance=_beir(
            0.504,
            1.8,
            (0.690, 0.343, 0.528, 0.675, 0.357, 0.496, 0.287, 0.418, 0.166, 0.818, 0.224, 0.715, 0.841),
        ),
    ),
    ModelSpec(
        id=_HUB + "doc-v2-mini",
        name="doc-v2-mini",
        mode=Mode.DOC_ONLY,
        activation=Activation.RELU,
        revision="4af867a426867dfdd744097531046f4289a32fdd",
        vocabulary_size=30_522,
        parameters=22_744_506,
        backbone="MiniLM L6 H384",
        licence=_LICENCE,
        server_name=_SERVER + "doc-v2-mini",
        server_version="1.0.0",
        relevance=_beir(
            0.497,
            1.7,
            (0.709, 0.336, 0.510, 0.666, 0.338, 0.480, 0.285, 0.407, 0.164, 0.812, 0.216, 0.699, 0.837),
        ),
    ),
    ModelSpec(
        id=_HUB + "doc-v3-distill",
        name="doc-v3-distill",
        mode=Mode.DOC_ONLY,
        activation=Activation.LOG1P_RELU,
        revision="babf71f3c48695e2e53a978208e8aba48335e3c0",
        vocabulary_size=30_522,
        parameters=66_985_530,
        backbone="DistilBERT base",
        licence=_LICENCE,
        server_name=_SERVER + "doc-v3-distill",
        server_version="1.0.0",
        recommended_prune=_PRUNED,
        relevance=_beir(
            0.517,
            1.8,
            (0.724, 0.345, 0.544, 0.694, 0.356, 0.520, 0.294, 0.424, 0.163, 0.845, 0.239, 0.708, 0.863),
            _V3_IN_DOMAIN,
        ),
    ),
    ModelSpec(
        id=_HUB + "doc-v3-gte",
        name="doc-v3-gte",
        mode=Mode.DOC_ONLY,
        activation=Activation.LOG1P_RELU,
        revision="a8abaa916125ee512a7a8f4d706d07eb0128a8e6",
        vocabulary_size=30_522,
        max_length=8192,
        parameters=137_394_234,
        backbone="GTE base",
        licence=_LICENCE,
        server_name=_SERVER + "doc-v3-gte",
        server_version="1.0.0",
        recommended_prune=_PRUNED,
        note="The card says 133M parameters; the weights hold 137M.",
        relevance=_beir(
            0.546,
            1.7,
            (0.734, 0.360, 0.582, 0.716, 0.407, 0.520, 0.389, 0.455, 0.167, 0.860, 0.312, 0.725, 0.873),
            _V3_IN_DOMAIN,
        ),
    ),
    ModelSpec(
        id=_HUB + "multilingual-v1",
        name="multilingual-v1",
        mode=Mode.DOC_ONLY,
        activation=Activation.RELU,
        revision="1e0f096c2b51c234f1d20725c793e1b5b6d556db",
        tokenizer="mbert-uncased",
        vocabulary_size=105_879,
        parameters=167_463_831,
        backbone="multilingual BERT base",
        languages=tuple(_MIRACL),
        licence=_LICENCE,
        server_name=_SERVER + "multilingual-v1",
        server_version="1.0.0",
        recommended_prune=_PRUNED,
        relevance=Relevance(
            beir_average=0.500,
            miracl=_MIRACL,
            miracl_average=0.629,
            pruned=(PublishedScores(benchmark="MIRACL", prune=_PRUNED, scores=_MIRACL_PRUNED, average=0.626),),
        ),
    ),
)
