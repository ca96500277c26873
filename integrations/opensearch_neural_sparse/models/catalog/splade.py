"""Catalogue entries of SPLADE models by other authors.

Relevance is the mean NDCG@10 over the 13 BEIR collections that the authors or sentence-transformers' documentation
state. No revision is pinned: the commit that is found at download is recorded with the files.
"""

from __future__ import annotations

from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec, Relevance

_NON_COMMERCIAL = "CC-BY-NC-SA-4.0"
_BERT_BASE = 109_514_298
_DISTILBERT_BASE = 66_985_530


def _naver(
    name: str, average: float, *, mode: Mode = Mode.BI_ENCODER, distil: bool = False, gated: bool = False
) -> ModelSpec:
    return ModelSpec(
        id=f"naver/{name}",
        name=name,
        mode=mode,
        activation=Activation.RELU,
        vocabulary_size=30_522,
        parameters=_DISTILBERT_BASE if distil else _BERT_BASE,
        backbone="DistilBERT base" if distil else "BERT base",
        licence=_NON_COMMERCIAL,
        gated=gated,
        relevance=Relevance(beir_average=average),
    )


def _permissive(id: str, average: float, *, parameters: int, backbone: str, licence: str) -> ModelSpec:  # noqa: A002
    return ModelSpec(
        id=id,
        name=id.rpartition("/")[2],
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        vocabulary_size=30_522,
        parameters=parameters,
        backbone=backbone,
        licence=licence,
        relevance=Relevance(beir_average=average),
    )


SPLADE: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="ibm-granite/granite-embedding-30m-sparse",
        name="granite-embedding-30m-sparse",
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        tokenizer="granite-embedding-30m-sparse",
        vocabulary_size=50_265,
        parameters=30_300_000,  # as published
        backbone="RoBERTa",
        licence="Apache-2.0",
        relevance=Relevance(beir_average=0.508),
    ),
    _permissive("prithivida/Splade_PP_en_v1", 0.487, parameters=_BERT_BASE, backbone="BERT base", licence="Apache-2.0"),
    _permissive("prithivida/Splade_PP_en_v2", 0.494, parameters=_BERT_BASE, backbone="BERT base", licence="Apache-2.0"),
    _permissive("rasyosef/splade-mini", 0.445, parameters=11_201_594, backbone="BERT mini", licence="MIT"),
    _permissive("rasyosef/splade-tiny", 0.406, parameters=4_416_698, backbone="BERT tiny", licence="MIT"),
    _naver("splade-v3", 0.517, gated=True),
    _naver("splade-v3-distilbert", 0.500, distil=True),
    _naver("splade-v3-doc", 0.470, mode=Mode.DOC_ONLY, gated=True),
    _naver("splade-cocondenser-ensembledistil", 0.505),
    _naver("splade-cocondenser-selfdistil", 0.507),
)
