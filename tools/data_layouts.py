"""Data sets that are distributed in several layouts."""
from typing import Dict, Optional, Tuple

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


def challenge(name: str, sides: Dict[str, str], examples: Dict[str, str],
              counts: Dict[str, Optional[int]]) -> Tuple[Part, ...]:
    """Return the parts of a challenge's data, with a folder or an archive per
    side, such as ``x_train_gt``, or a folder per split, such as ``train/GT``.

    Args:
        name: Folder below --out.
        sides: For each of our folders, the words that published folders of
            that side are named by, as a pattern.
        examples: Published path of an image of each part.
        counts: Number of images of each split.
    """
    splits = dict(train='train', val='val(?:id(?:ation)?)?')
    return tuple(
        Part(f'{split}_{role}',
             rf'(?:.*/)?(?:[^/]*_)?{splits[split]}[/_](?:{words})/'
             r'(?P<name>[^/]+)\.(?:png|jpe?g)',
             (f'{name}/{split}/{role}/{{name}}',),
             examples[f'{split}_{role}'], count)
        for split, count in counts.items()
        for role, words in sides.items())


def ntire2023_shadow() -> Source:
    """Return WSRD, an archive per side, or in the folders that the published
    options of Refusion read."""
    return Source(
        'NTIRE 2023 Image Shadow Removal (WSRD: Vasluianu et al., "WSRD: A '
        'Novel Benchmark for High Resolution Image Shadow Removal", CVPR '
        'Workshops 2023)',
        'https://github.com/fvasluianu97/WSRD-DNSR',
        'unknown; ask the authors', (
            'configs/irsde/deshadow.py', 'configs/irsde/refusion_deshadow.py',
            'configs/irsde/refusion_latent_deshadow.py'),
        challenge('ntire2023_shadow', dict(
            shadow='inp(?:ut)?|lq|shadow', shadow_free='gt|shadow_free'), dict(
                train_shadow='ntire23_sr_train_input/0000.png',
                train_shadow_free='ntire23_sr_train_gt/0000.png',
                val_shadow='ntire23_sr_valid_inp/0000.png',
                val_shadow_free='ntire23_sr_valid_gt/0000.png'),
                  dict(train=1000, val=100)),
        tuple(Pair(f'{split}_shadow', f'{split}_shadow_free')
              for split in ('train', 'val')))


def ntire2023_haze() -> Source:
    """Return the hazy photos of NTIRE 2023, in the folders that the published
    options of Refusion read, or in others in use.

    The number of photos in each split is the user's choice: the clean photos
    of the challenge's validation and test were not published with it.
    """
    return Source(
        'NTIRE 2023 HR NonHomogeneous Dehazing (Ancuti et al., CVPR Workshops '
        '2023)',
        'https://codalab.lisn.upsaclay.fr/competitions/10216',
        'unknown; ask the organizers', (
            'configs/irsde/refusion_latent_dehaze.py', ),
        challenge('ntire2023_haze', dict(
            hazy='haz[ey]|lq|images|inp(?:ut)?',
            clear='clea[nr]|gt|labels'), dict(
                train_hazy='dehazing/train/LQ/01.png',
                train_clear='dehazing/train/GT/01.png',
                val_hazy='dehazing/val/LQ/41.png',
                val_clear='dehazing/val/GT/41.png'),
                  dict(train=None, val=None)),
        tuple(Pair(f'{split}_hazy', f'{split}_clear')
              for split in ('train', 'val')))


def istd() -> Source:
    """Return ISTD: A are the photos with shadows, C those without; the masks,
    B, are not used."""
    sides = dict(shadow='A', shadow_free='C')
    return Source(
        'ISTD (Wang et al., "Stacked Conditional Generative Adversarial '
        'Networks for Jointly Learning Shadow Detection and Shadow Removal", '
        'CVPR 2018)', 'https://github.com/DeepInsight-PCALab/ST-CGAN',
        'unknown; ask the authors',
        ('configs/family/published/rddm_deshadow.py', ), tuple(
            Part(f'{split}_{role}',
                 rf'(?:.*/)?{split}_{letter}/(?P<name>[^/]+)\.png',
                 (f'istd/{split}/{role}/{{name}}',),
                 f'ISTD_Dataset/{split}/{split}_{letter}/1-1.png', count)
            for split, count in (('train', 1330), ('test', 540))
            for role, letter in sides.items()),
        tuple(Pair(f'{split}_shadow', f'{split}_shadow_free')
              for split in ('train', 'test')),
        note='for ISTD with corrected colors, name its folder of photos '
        "without shadows: --pattern 'train_shadow_free=.*train_C_fixed"
        "[^/]*/(?P<name>[^/]+)\\.png'")
