"""A small ImageNet network: its weights, its graph, its features, its words.

Only this package imports onnx and onnxruntime. What is made of features and words is
decided outside of it, in `categorize.embedded` and `categorize.words`.
"""
