"""MAXIM, a multi-axis MLP: a regression network for comparison."""
from .network import MAXIM

__all__ = ['MAXIM']
