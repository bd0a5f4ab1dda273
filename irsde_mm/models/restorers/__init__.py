"""Restorers: models that mmengine's Runner trains and tests."""
from .irsde_restorer import IRSDERestorer

__all__ = ['IRSDERestorer']
