"""A config on somebody's own folder of photos."""
import inspect
import math
from pathlib import Path
from typing import List, Tuple

from ..datasets.image_files import list_images
from ..datasets.image_reader import MAX_PIXELS
from ..datasets.transforms import Degradation
from ..errors import ConfigError, DataError
from ..registry import TRANSFORMS

HELD_OUT = 10  # every tenth image is for validation
MAX_SKIPPED = 10  # photos that may fail during training
VAL_SIDE = 512  # validation sees the centre of photos, to save time
NEEDED = ('patch_size', 'region', 'degradation')


def use_folder(cfg, folder: str) -> str:
    """Lets a config train and test on a folder of images.

    A folder with ``input/`` and ``target/`` holds pairs of the same names;
    with images alone, these are clean and are degraded as the config says
    (``degradation``, on crops of ``region``). ``train/`` and ``val/`` (or
    ``test/``) inside, each of one of these forms, are what they say;
    otherwise every tenth image is held out.

    Args:
        cfg (Config): A config on one of our dataset bases; it is changed.
        folder (str): The folder.

    Returns:
        str: What was found, in words.

    Raises:
        ConfigError: If the config does not say what to do with clean images.
        DataError: If the folder does not hold what it should.
    """
    missing = [name for name in NEEDED if name not in cfg]
    if missing:
        raise ConfigError('--data needs a config on one of our dataset bases: '
                          f'this one has no {", ".join(missing)}.')
    parts = find_parts(Path(folder))
    scale = math.prod(step.get('scale', 1) for step in on_pairs(cfg))
    for phase, (where, indices) in zip(('train', 'val', 'test'),
                                       (parts[0], parts[1], parts[1])):
        if f'{phase}_dataloader' not in cfg:  # an exported file only tests
            continue
        paired = (where / 'input').is_dir()
        loader = cfg[f'{phase}_dataloader']
        loader = loader[0] if isinstance(loader, list) else loader
        pack = loader.dataset.pipeline[-1]
        pipeline = (train_pipeline if phase == 'train' else test_pipeline)(
            cfg, paired, pack, whole=phase == 'test')
        loader.dataset = dict(
            type='irsde_mm.PairedImageDataset' if paired
            else 'irsde_mm.CleanImageDataset',
            data_root=str(where), pipeline=pipeline, indices=indices,
            min_size=cfg.patch_size if phase == 'train' else 1,
            **limits(loader.dataset, phase == 'train'),
            **(dict(scale=scale) if paired else {}))
        cfg[f'{phase}_dataloader'] = loader
        evaluator = cfg.get(f'{phase}_evaluator')
        if isinstance(evaluator, list):  # one set in place of several
            cfg[f'{phase}_evaluator'] = dict(evaluator[0], metrics=[
                dict(metric, prefix=None) for metric in evaluator[0].metrics])
    counts = [count(*part) for part in parts]
    return f'{counts[0]} images to train on, {counts[1]} to validate with'


def limits(dataset: dict, train: bool) -> dict:
    """How many images may fail, and how large they may be."""
    return dict(
        max_skipped=dataset.get('max_skipped', MAX_SKIPPED) if train else 0,
        max_pixels=dataset.get('max_pixels', MAX_PIXELS))


def find_parts(folder: Path) -> List[Tuple[Path, list]]:
    """Folder and indices (None: all) for training and for validation.

    Raises:
        DataError: If there is no image, or only one.
    """
    if (folder / 'train').is_dir():
        for name in ('val', 'test'):
            if (folder / name).is_dir():
                return [(folder / 'train', None), (folder / name, None)]
        raise DataError(f"'{folder}' has train/ but neither val/ nor test/.")
    number = count(folder, None)
    if number < 2:
        raise DataError(f"'{folder}' has one image: at least two are needed, "
                        'one to validate with.')
    return [(folder, [i for i in range(number) if i % HELD_OUT]),
            (folder, list(range(0, number, HELD_OUT)))]


def count(folder: Path, indices) -> int:
    """Images of a part.

    Raises:
        DataError: If there are none, or pairs have one side only.
    """
    sides = [(folder / name).is_dir() for name in ('input', 'target')]
    if any(sides) and not all(sides):
        raise DataError(f"'{folder}' has one of input/ and target/: pairs "
                        'need both.')
    files = list_images(folder / 'input' if all(sides) else folder)
    return len(files if indices is None else indices)


def train_pipeline(cfg, paired: bool, pack: dict, **kwargs) -> list:
    """Patches of pairs, or of clean images that are degraded."""
    patch = dict(type='PairedRandomCrop', gt_patch_size=cfg.patch_size)
    if paired:
        return [*load(cfg, True), patch, *flips('img', 'gt'),
                *on_pairs(cfg), pack]
    if needs_whole(cfg):
        return [*load(cfg, False), *cfg.degradation, patch,
                *flips('img', 'gt'), pack]
    crop = dict(type='Crop', keys=['gt'], crop_size=(cfg.region, ) * 2)
    return [*load(cfg, False), crop, *flips('gt'), *cfg.degradation, patch,
            pack]


def test_pipeline(cfg, paired: bool, pack: dict, whole: bool) -> list:
    """Whole images, or their centre."""
    degrade = [fixed(step) for step in cfg.degradation]
    keys = ['img', 'gt'] if paired or needs_whole(cfg) else ['gt']
    centre = [] if whole else [dict(
        type='Crop', keys=keys, crop_size=(VAL_SIDE, VAL_SIDE),
        random_crop=False)]
    if paired:
        return [*load(cfg, True), *on_pairs(cfg), *centre, pack]
    steps = [degrade, centre] if needs_whole(cfg) else [centre, degrade]
    return [*load(cfg, False), *steps[0], *steps[1], pack]


def needs_whole(cfg) -> bool:
    """Whether masks or depth maps of files go with the whole images."""
    return any(step.get('folder') or step.get('depth_folder')
               for step in cfg.degradation)


def load(cfg, paired: bool) -> list:
    preprocessor = cfg.model.get('data_preprocessor', {})
    grey = len(preprocessor.get('mean', ())) == 1
    return [dict(type='irsde_mm.LoadImage', key=key,
                 color_type='grayscale' if grey else 'color')
            for key in (('img', 'gt') if paired else ('gt', ))]


def flips(*keys: str) -> list:
    return [dict(type='Flip', keys=list(keys), direction='horizontal'),
            dict(type='Flip', keys=list(keys), direction='vertical'),
            dict(type='RandomTransposeHW', keys=list(keys))]


def on_pairs(cfg) -> list:
    """The steps that pairs still go through: those that make no degraded
    image, such as bringing it to the size of the clean one."""
    return [step for step in cfg.degradation
            if not issubclass(TRANSFORMS.get(step.type), Degradation)]


def fixed(step: dict) -> dict:
    """A degradation as it is in tests: by the image's name."""
    arguments = inspect.signature(TRANSFORMS.get(step['type'])).parameters
    return dict(step, fixed=True) if 'fixed' in arguments else step
