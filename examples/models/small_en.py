"""Files of the model small-en, in the folder `model`; opensearch_neural_sparse finds it by its entry point."""
