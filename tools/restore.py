"""Restore photos: python tools/restore.py photo.jpg --out restored"""
from irsde_mm.commands import cli
from irsde_mm.commands import restore

if __name__ == '__main__':
    cli.run(restore.main, restore.parser())
