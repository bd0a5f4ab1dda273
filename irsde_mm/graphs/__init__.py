"""Whole restorers as one graph, in ONNX and torch.export files.

Imports nothing here, because running an ONNX file must not import torch.
"""
