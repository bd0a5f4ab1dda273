"""Train a model: python tools/train.py configs/quickstart/derain.py"""
from irsde_mm.commands import cli
from irsde_mm.commands import train

if __name__ == '__main__':
    cli.run(train.main, train.parser())
