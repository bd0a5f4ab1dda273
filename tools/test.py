"""Test a model: python tools/test.py CONFIG CHECKPOINT"""
from irsde_mm.commands import cli
from irsde_mm.commands import test

if __name__ == '__main__':
    cli.run(test.main, test.parser())
