"""A config on somebody's own folder of photos."""
import inspect
import math
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from ..datasets.pair_names import SIDES, PairNames
from ..datasets.transforms import Degradation
from ..errors import ConfigError, DataError
from ..io.image_files import list_images
from ..io.reader import MAX_PIXELS
from ..registry import TRANSFORMS
from .parts import dataloaders

HELD_OUT = 10  # every tenth image is for validation
MAX_SKIPPED = 10  # photos that may fail during training
VAL_SIDE = 512  # validation sees the centre of photos, to save time
KEPT = ('max_skipped', 'max_pixels')  # of the config's dataset
NEEDED = ('patch_size', 'region', 'degradation')


def use_folder(cfg, folder: str, pairs: Optional[Sequence[str]] = None,
               options: Sequence[str] = ()) -> str:
    """Lets a config train and test on a folder of images.

    A folder with ``input/`` and ``target/`` holds pairs of the same names;
    with images alone, these are clean and are degraded as the config says
    (``degradation``, on crops of ``region``). ``train/`` and ``val/`` (or
    ``test/``) inside, each of one of these forms, are what they say;
    otherwise every tenth image is held out, with all degraded versions of it.

    Args:
        cfg (Config): A config on one of our dataset bases; it is changed.
        folder (str): The folder.
        pairs (Sequence[str], optional): Names of degraded and clean images as
            in ``templates`` of :class:`PairedImageDataset`, each with the
            folder that they are in: ``('{}_hazy', '{}_GT')``,
            ``('low/{}', 'high/{}')``.
        options (Sequence[str]): Dotted keys of settings that the user has
            chosen, all of which have to matter.

    Returns:
        str: What was found, in words.

    Raises:
        ConfigError: If the config does not say what to do with clean images,
            or an option has no effect.
        DataError: If the folder does not hold what it should.
    """
    missing = [name for name in NEEDED if name not in cfg]
    if missing:
        raise ConfigError('--data needs a config on one of our dataset bases: '
                          f'this one has no {", ".join(missing)}.')
    parts = find_parts(Path(folder), pairs)
    paired = all(pair_names(where, pairs) for where, _ in parts)
    if not paired and len(on_pairs(cfg)) == len(cfg.degradation):
        raise ConfigError(f"'{folder}' has clean images, and '{cfg.filename}' "
                          'does not say how to degrade them: use pairs, in '
                          'input/ and target/, or a config with degradation.')
    check_options(cfg, options, paired)
    scale = math.prod(step.get('scale', 1) for step in on_pairs(cfg))
    for phase, (where, indices) in zip(('train', 'val', 'test'),
                                       (parts[0], parts[1], parts[1])):
        if f'{phase}_dataloader' not in cfg:  # an exported file only tests
            continue
        names = pair_names(where, pairs)
        paired = bool(names)
        loader = dataloaders(cfg, phase)[0]
        pack = loader.dataset.pipeline[-1]
        pipeline = (train_pipeline if phase == 'train' else test_pipeline)(
            cfg, paired, pack, whole=phase == 'test')
        loader.dataset = dict(
            type='irsde_mm.PairedImageDataset' if paired
            else 'irsde_mm.CleanImageDataset',
            data_root=str(where), pipeline=pipeline, indices=indices,
            min_size=cfg.patch_size if phase == 'train' else 1,
            **limits(loader.dataset, phase == 'train'),
            **(dict(names, scale=scale) if paired else {}))
        cfg[f'{phase}_dataloader'] = loader
        use_one_evaluator(cfg, f'{phase}_evaluator')
    counts = [len(clean_names(where, pairs) if indices is None else indices)
              for where, indices in parts]
    return f'{counts[0]} images to train on, {counts[1]} to validate with'


def use_one_evaluator(cfg, key: str) -> None:
    """Keep the first of several evaluators, for the one set there is."""
    evaluator = cfg.get(key)
    if isinstance(evaluator, list):
        cfg[key] = dict(evaluator[0], metrics=[
            dict(metric, prefix=None) for metric in evaluator[0].metrics])


def check_options(cfg, options: Sequence[str], paired: bool) -> None:
    """Stops options for data that a folder replaces.

    Args:
        cfg (Config): The config with the options.
        options (Sequence[str]): Their dotted keys.
        paired (bool): Whether all images are pairs, so that none is degraded.

    Raises:
        ConfigError: Naming the option.
    """
    kept = {f'degradation.{i}' for i, step in enumerate(cfg.degradation)
            if step in on_pairs(cfg)}
    for key in options:
        words = key.split('.')
        if words[0].endswith('_dataloader') and 'dataset' in words \
                and words[-1] not in KEPT:
            raise ConfigError(f'{key} has no effect: --data takes the place '
                              "of the config's data sets. --pairs says how "
                              'pairs are named.')
        if paired and words[0] in ('degradation', 'region') \
                and '.'.join(words[:2]) not in kept:
            raise ConfigError(f'{key} has no effect: --data gives pairs, and '
                              'nothing is degraded.')
        if words[0] == 'region' and needs_whole(cfg):
            raise ConfigError('region has no effect: whole images are '
                              'degraded, as masks and depth maps need it.')


def limits(dataset: dict, train: bool) -> dict:
    """How many images may fail, and how large they may be."""
    return dict(
        max_skipped=dataset.get('max_skipped', MAX_SKIPPED) if train else 0,
        max_pixels=dataset.get('max_pixels', MAX_PIXELS))


def find_parts(folder: Path, pairs: Optional[Sequence[str]]
               ) -> List[Tuple[Path, Optional[list]]]:
    """Folder and indices (None: all) for training and for validation.

    Raises:
        DataError: If there is no image, or only one.
    """
    if (folder / 'train').is_dir():
        for name in ('val', 'test'):
            if (folder / name).is_dir():
                return [(folder / 'train', None), (folder / name, None)]
        raise DataError(f"'{folder}' has train/ but neither val/ nor test/.")
    names = clean_names(folder, pairs)
    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise DataError(f"'{folder}' has one image: at least two are needed, "
                        'one to validate with.')
    held_out = set(different[::HELD_OUT])
    return [(folder, [i for i, name in enumerate(names)
                      if (name in held_out) == val]) for val in (False, True)]


def pair_names(folder: Path, pairs: Optional[Sequence[str]]) -> dict:
    """Where pairs are and how they are named; nothing for clean images.

    Raises:
        ConfigError: If these are no templates.
        DataError: If pairs have one side only.
    """
    if pairs is None:
        sides = [(folder / name).is_dir() for name in ('input', 'target')]
        if not any(sides):
            return {}
        if not all(sides):
            raise DataError(f"'{folder}' has one of input/ and target/: pairs "
                            'need both.')
        pairs = ('input/{}', 'target/{}')
    try:
        parts = [text.rpartition('/') for text in pairs]
        prefix, names = ({side: part[i] for side, part in zip(
            SIDES, parts, strict=True)} for i in (0, 2))
        PairNames(**names)
    except (ValueError, AttributeError) as error:
        raise ConfigError(
            f'pairs {pairs!r}: {error} It takes the names of degraded and of '
            "clean images, such as '{}_hazy' '{}_GT'.") from None
    return dict(data_prefix=prefix, templates=names)


def clean_names(folder: Path, pairs: Optional[Sequence[str]]) -> List[str]:
    """For each sample of a part, in the dataset's order, the name of its
    clean image.

    Raises:
        DataError: If there are none, or pairs have one side only.
    """
    names = pair_names(folder, pairs)
    if not names:
        return [path.name for path in list_images(folder)]
    templates = PairNames(**names['templates'])
    chosen = templates.choose({side: folder / prefix for side, prefix
                               in names['data_prefix'].items()})
    return [templates.partner(name) for name in sorted(chosen.sides['img'])]


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
