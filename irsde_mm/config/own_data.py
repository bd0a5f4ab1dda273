"""Training and testing on a user's own folder of images."""
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

HELD_OUT = 10  # every tenth image is used for validation
MAX_SKIPPED = 10  # images that may fail during training
VAL_SIDE = 512  # validation uses a center crop to save time
KEPT = ('max_skipped', 'max_pixels')  # options kept from the config's dataset
REQUIRED = ('patch_size', 'region', 'degradation')


def use_folder(cfg, folder: str, pairs: Optional[Sequence[str]] = None,
               options: Sequence[str] = ()) -> str:
    """Make a config train and test on a folder of images.

    A folder with ``input/`` and ``target/`` holds pairs with matching names.
    A folder of images only holds clean images, which are degraded as the
    config specifies (``degradation``, on crops of size ``region``). If the
    folder contains ``train/`` and ``val/`` (or ``test/``), each of them has
    one of these layouts. Otherwise every tenth image, together with all its
    degraded versions, is held out for validation.

    Args:
        cfg (Config): A config based on one of the dataset bases of
            irsde_mm, modified in place.
        folder (str): The folder.
        pairs (Sequence[str], optional): Name templates of degraded and clean
            images as in ``templates`` of :class:`PairedImageDataset`, each
            with its subfolder: ``('{}_hazy', '{}_GT')``,
            ``('low/{}', 'high/{}')``.
        options (Sequence[str]): Dotted keys of the settings that the user
            chose. Each of them must have an effect.

    Returns:
        str: Summary of the images found.

    Raises:
        ConfigError: If the config does not specify how to degrade clean
            images, or an option has no effect.
        DataError: If the folder does not have one of these layouts.
    """
    missing = [name for name in REQUIRED if name not in cfg]
    if missing:
        raise ConfigError('--data needs a config based on one of the dataset '
                          'bases of irsde_mm, but this one has no '
                          f'{", ".join(missing)}.')
    parts = find_parts(Path(folder), pairs)
    paired = all(pair_names(where, pairs) for where, _ in parts)
    if not paired and len(pair_steps(cfg)) == len(cfg.degradation):
        raise ConfigError(f"'{folder}' has clean images only, and "
                          f"'{cfg.filename}' does not specify how to degrade "
                          'them; use pairs in input/ and target/, or a config '
                          "with a 'degradation'.")
    check_options(cfg, options, paired)
    scale = math.prod(step.get('scale', 1) for step in pair_steps(cfg))
    for phase, (where, indices) in zip(('train', 'val', 'test'),
                                       (parts[0], parts[1], parts[1])):
        if f'{phase}_dataloader' not in cfg:  # an exported file has no train
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
    """Keep the first of several evaluators, as there is only one dataset."""
    evaluator = cfg.get(key)
    if isinstance(evaluator, list):
        cfg[key] = dict(evaluator[0], metrics=[
            dict(metric, prefix=None) for metric in evaluator[0].metrics])


def check_options(cfg, options: Sequence[str], paired: bool) -> None:
    """Reject options that have no effect because a folder replaces the data.

    Args:
        cfg (Config): The config, including the options.
        options (Sequence[str]): Dotted keys.
        paired (bool): True if all images are pairs, so nothing is degraded.

    Raises:
        ConfigError: If an option has no effect.
    """
    kept = {f'degradation.{i}' for i, step in enumerate(cfg.degradation)
            if step in pair_steps(cfg)}
    for key in options:
        parts = key.split('.')
        if parts[0].endswith('_dataloader') and 'dataset' in parts \
                and parts[-1] not in KEPT:
            raise ConfigError(f'{key} has no effect: --data replaces the '
                              "config's datasets; use --pairs to set how "
                              'pairs are named.')
        if paired and parts[0] in ('degradation', 'region') \
                and '.'.join(parts[:2]) not in kept:
            raise ConfigError(f'{key} has no effect: --data contains pairs, '
                              'so nothing is degraded.')
        if parts[0] == 'region' and uses_whole_images(cfg):
            raise ConfigError('region has no effect: masks and depth maps '
                              'from files are applied to whole images.')


def limits(dataset: dict, train: bool) -> dict:
    """Return how many images may fail and how large they may be."""
    return dict(
        max_skipped=dataset.get('max_skipped', MAX_SKIPPED) if train else 0,
        max_pixels=dataset.get('max_pixels', MAX_PIXELS))


def find_parts(folder: Path, pairs: Optional[Sequence[str]]
               ) -> List[Tuple[Path, Optional[list]]]:
    """Return the folder and indices (None: all) for training and validation.

    Raises:
        DataError: If there are fewer than two images, or ``train/`` has no
            counterpart.
    """
    if (folder / 'train').is_dir():
        for name in ('val', 'test'):
            if (folder / name).is_dir():
                return [(folder / 'train', None), (folder / name, None)]
        raise DataError(f"'{folder}' has train/ but neither val/ nor test/; "
                        'add one of them.')
    names = clean_names(folder, pairs)
    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise DataError(f"'{folder}' has only one image; at least two are "
                        'needed, since one is used for validation.')
    held_out = set(different[::HELD_OUT])
    return [(folder, [i for i, name in enumerate(names)
                      if (name in held_out) == val]) for val in (False, True)]


def pair_names(folder: Path, pairs: Optional[Sequence[str]]) -> dict:
    """Return folders and name templates of pairs, or {} for clean images.

    Raises:
        ConfigError: If ``pairs`` are not valid templates.
        DataError: If only one side of the pairs exists.
    """
    if pairs is None:
        sides = [(folder / name).is_dir() for name in ('input', 'target')]
        if not any(sides):
            return {}
        if not all(sides):
            raise DataError(f"'{folder}' has only one of input/ and target/; "
                            'pairs need both.')
        pairs = ('input/{}', 'target/{}')
    try:
        parts = [text.rpartition('/') for text in pairs]
        prefix, names = ({side: part[i] for side, part in zip(
            SIDES, parts, strict=True)} for i in (0, 2))
        PairNames(**names)
    except (ValueError, AttributeError) as error:
        raise ConfigError(
            f'pairs {pairs!r}: {error} Give the names of degraded and clean '
            "images, such as '{}_hazy' '{}_GT'.") from None
    return dict(data_prefix=prefix, templates=names)


def clean_names(folder: Path, pairs: Optional[Sequence[str]]) -> List[str]:
    """Return the name of each sample's clean image, in dataset order.

    Raises:
        DataError: If there are no images, or only one side of the pairs
            exists.
    """
    names = pair_names(folder, pairs)
    if not names:
        return [path.name for path in list_images(folder)]
    templates = PairNames(**names['templates'])
    chosen = templates.choose({side: folder / prefix for side, prefix
                               in names['data_prefix'].items()})
    return [templates.partner(name) for name in sorted(chosen.sides['img'])]


def train_pipeline(cfg, paired: bool, pack: dict, **kwargs) -> list:
    """Return the pipeline for patches of pairs or of degraded clean images."""
    patch = dict(type='PairedRandomCrop', gt_patch_size=cfg.patch_size)
    if paired:
        return [*load_steps(cfg, True), patch, *flip_steps('img', 'gt'),
                *pair_steps(cfg), pack]
    if uses_whole_images(cfg):
        return [*load_steps(cfg, False), *cfg.degradation, patch,
                *flip_steps('img', 'gt'), pack]
    crop = dict(type='Crop', keys=['gt'], crop_size=(cfg.region, ) * 2)
    return [*load_steps(cfg, False), crop, *flip_steps('gt'),
            *cfg.degradation, patch, pack]


def test_pipeline(cfg, paired: bool, pack: dict, whole: bool) -> list:
    """Return the pipeline for whole images or their center crops."""
    degrade = [fixed(step) for step in cfg.degradation]
    keys = ['img', 'gt'] if paired or uses_whole_images(cfg) else ['gt']
    center = [] if whole else [dict(
        type='Crop', keys=keys, crop_size=(VAL_SIDE, VAL_SIDE),
        random_crop=False)]
    if paired:
        return [*load_steps(cfg, True), *pair_steps(cfg), *center, pack]
    steps = [degrade, center] if uses_whole_images(cfg) else [center, degrade]
    return [*load_steps(cfg, False), *steps[0], *steps[1], pack]


def uses_whole_images(cfg) -> bool:
    """Return True if masks or depth maps come from files.

    These match whole images, so degradation precedes cropping.
    """
    return any(step.get('folder') or step.get('depth_folder')
               for step in cfg.degradation)


def load_steps(cfg, paired: bool) -> list:
    preprocessor = cfg.model.get('data_preprocessor', {})
    gray = len(preprocessor.get('mean', ())) == 1
    return [dict(type='irsde_mm.LoadImage', key=key,
                 color_type='grayscale' if gray else 'color')
            for key in (('img', 'gt') if paired else ('gt', ))]


def flip_steps(*keys: str) -> list:
    return [dict(type='Flip', keys=list(keys), direction='horizontal'),
            dict(type='Flip', keys=list(keys), direction='vertical'),
            dict(type='RandomTransposeHW', keys=list(keys))]


def pair_steps(cfg) -> list:
    """Return the degradation steps that also apply to pairs.

    These do not create the degraded image, but for example resize it to the
    size of the clean one.
    """
    return [step for step in cfg.degradation
            if not issubclass(TRANSFORMS.get(step.type), Degradation)]


def fixed(step: dict) -> dict:
    """Return a degradation step for testing, fixed by the image's name."""
    arguments = inspect.signature(TRANSFORMS.get(step['type'])).parameters
    return dict(step, fixed=True) if 'fixed' in arguments else step
