"""Data sets that are distributed in several layouts."""
from data_parts import Pair, Part, Source

RAINY = '(?:rain|rainy|input|lq)/'
CLEAN = '(?:norain|target|groundtruth|gt|clean)/'


def folder_of(word: str, other: str) -> str:
    """Return a pattern of a path up to a folder that has ``word``, but not
    ``other``, in its name."""
    return rf'(?:.*/)?(?=[^/]*{word})(?![^/]*{other})[^/]*/'


def below(*unlike: str) -> str:
    """Return a pattern of folders whose names match none of ``unlike``."""
    return rf"(?:(?!{'|'.join(unlike)})[^/]*/)*"


def side(split: str, other: str, own: str, opposite: str, word: str) -> str:
    """Return a pattern of the path of a rainy or clean image: below a folder
    of its own side, or named by a word and not below a folder of the opposite
    side."""
    folders = below(f'[^/]*{other}', '[^/]*streak')
    neutral = below(f'[^/]*{other}', '[^/]*streak', opposite)
    return (rf'{split}(?:{folders}{own}{neutral}(?:(?P<no>no)?rain-)?|'
            rf'{neutral}{word}-)(?P<name>[^/]+?)(?(no)(?:x\d)?)\.png')


def rain(title: str, train: int, config: str) -> Source:
    """Return Rain100H or Rain100L, which is distributed in several layouts.

    Names (``rain-1``, ``norain-1``) or folders distinguish the sides; rainy
    images may be called ``rain/X2/norain-1x2.png``. Without a folder for
    training or testing, images in a folder named like the data set, or
    directly in the source, are the test images.
    """
    name = title.lower()
    other_set = ('(?:light|rain(?:100|train)l)' if name.endswith('h') else
                 '(?:heavy|rain(?:100|train)h)')
    start = rf'(?!(?:.*/)?(?:[^/]*[_-])?{other_set}(?:[_.-][^/]*)?/)'
    train_folder = folder_of('train', 'test')
    source = f'(?![^/]*train)[^/]*/(?={RAINY}|{CLEAN}|(?:no)?rain-)'
    test_folder = (
        f"(?:{folder_of('test', 'train')}|"
        f"(?!{train_folder})(?:{folder_of(name, 'train')}|{source}))")
    parts = tuple(
        Part(f'{split}_{role}', start + side(folder, other, *sides),
             (f'{name}/{split}/{role}/{{name}}',),
             f'rain_{split}/{sides[-1]}-001.png', count)
        for split, other, folder, count in (
            ('train', 'test', train_folder, train),
            ('test', 'train', test_folder, 100))
        for role, sides in (('input', (RAINY, CLEAN, 'rain')),
                            ('target', (CLEAN, RAINY, 'norain'))))
    return Source(
        f'{title} (Yang et al., "Deep Joint Rain Detection and Removal from '
        'a Single Image", CVPR 2017)',
        'https://www.icst.pku.edu.cn/struct/Projects/joint_rain_removal.html',
        'unknown; ask the authors', (f'configs/irsde/{config}.py',), parts,
        (Pair('train_input', 'train_target'),
         Pair('test_input', 'test_target')))


def gopro() -> Source:
    """Return GoPro, with one folder per scene, as published, or with the
    scenes in the file names."""
    sides = dict(blur='(?:blur|blurred|input)/',
                 sharp='(?:sharp|target|groundtruth|gt)/')
    parts = tuple(
        Part(f'{split}_{role}',
             rf'(?:.*/)?{split}/(?=(?:[^/]+/)?{folder})(?:{folder})?'
             rf'(?!{folder})(?P<scene>[^/]+?)[/_-](?:{folder})?'
             r'(?P<name>\d+)\.png',
             (f'gopro/{split}/{role}/{{scene}}-{{name}}',),
             f'{split}/GOPR0372_07_00/{role}/000047.png', count)
        for split, count in (('train', 2103), ('test', 1111))
        for role, folder in sides.items())
    return Source(
        'GoPro (Nah et al., "Deep Multi-scale Convolutional Neural Network '
        'for Dynamic Scene Deblurring", CVPR 2017)',
        'https://seungjunnah.github.io/Datasets/gopro (GOPRO_Large)',
        'see the project page', ('configs/irsde/deblur.py',), parts,
        (Pair('train_blur', 'train_sharp'), Pair('test_blur', 'test_sharp')))
