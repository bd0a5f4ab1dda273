"""MAXIM, a multi-axis MLP: a regression to compare with."""
from .network import MAXIM

__all__ = ['MAXIM']
