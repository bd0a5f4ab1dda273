"""Test images and metrics of a task."""
import hashlib
import sys
from itertools import islice
from pathlib import Path

from irsde_mm.errors import ConfigError, DataError, building
from irsde_mm.io import files

from .suite import SCORES

LUMA = ('PSNR_Y', 'SSIM_Y')


class TaskData:
    """Test images of a task, the same for all models.

    Args:
        task (dict): Task of a suite.
        folder (Path): Folder for the pictures to show.

    Raises:
        ConfigError, DataError: If there are no images, or no clean images.
    """

    def __init__(self, task: dict, folder: Path) -> None:
        from irsde_mm.config import config_scope
        from irsde_mm.registry import METRICS
        from mmengine.runner import Runner
        cfg, loader, evaluator = read_data(task['data'])
        configs = metric_configs(evaluator, task['data'].get('metrics',
                                                             SCORES))
        with config_scope(cfg), building('the test set cannot be built'):
            self.loader = Runner.build_dataloader(loader, seed=0)
            self.metrics = [METRICS.build(config) for config in configs]
        self.scored_by = [dict(config, weights=digest_of(metric.weights))
                          if getattr(metric, 'has_weights', False) else config
                          for config, metric in zip(configs, self.metrics)]
        # the degraded images are scored once, with the first model
        self.inputs = [{} for _ in self.metrics]
        self.folder = folder
        self.number = min(task['data'].get('images', sys.maxsize),
                          len(self.loader.dataset))
        self.show = task['show']
        if max(self.show) >= self.number:
            raise ConfigError(f'show has position {max(self.show)}, but the '
                              f'last one is {self.number - 1}.')
        self.digest = self.inspect()

    def __iter__(self):
        """Iterate over batches of one image."""
        return islice(self.loader, self.number)

    def inspect(self) -> str:
        """Draw the pictures to show, and return a digest of all images."""
        digest = Digest()
        for i, batch in enumerate(self):
            digest.add(batch)
            if i in self.show:
                draw(self.folder / f'input_{i}.png', batch['inputs'][0])
                draw(self.folder / f'clean_{i}.png',
                     batch['data_samples'][0].gt_img)
        return digest.text()

    def score(self, sample, before: int) -> dict:
        """Return the scores of a restored image.

        Args:
            sample (DataSample): Output of the model.
            before (int): Number of images of this model scored before.
        """
        from irsde_mm.engine.hooks.results_hook import (image_name,
                                                        scores_of_batch)
        for metric, known in zip(self.metrics, self.inputs):
            if not before:
                metric.results.clear()
            fields = sample.to_dict()
            if before in known:
                fields.pop('input', None)
            metric.process(None, [fields])
            scores = metric.results[-1]
            scores.update(known.setdefault(before, {
                key: value for key, value in scores.items()
                if key.startswith('input_')}))
        scores, = scores_of_batch(self.metrics, before, 1)
        return dict(image=image_name(sample), **scores)

    def means(self) -> dict:
        """Return the scores over all images of the current model."""
        return {key: value for metric in self.metrics for key, value
                in metric.compute_metrics(metric.results).items()}


class Digest:
    """Digest of degraded and clean images."""

    def __init__(self) -> None:
        self.sha = hashlib.sha256()

    def add(self, batch: dict) -> None:
        sample = batch['data_samples'][0]
        if 'gt_img' not in sample:
            raise DataError('the test set has no clean images to compare '
                            'with.')
        for image in (batch['inputs'][0], sample.gt_img):
            self.sha.update(f'{image.dtype}{tuple(image.shape)}'.encode())
            self.sha.update(image.contiguous().numpy().tobytes())

    def text(self) -> str:
        return self.sha.hexdigest()


def read_data(data: dict):
    """Return the config, dataloader and evaluator of the data of a task."""
    from irsde_mm.config import load_config
    from irsde_mm.config.own_data import use_folder
    if 'config' not in data:
        raise ConfigError("data has no 'config' with a test set.")
    cfg = load_config(data['config'])
    if not cfg.get('test_dataloader'):
        raise ConfigError(f"'{data['config']}' has no test_dataloader.")
    if 'folder' in data:
        use_folder(cfg, data['folder'], data.get('pairs'))
    elif 'pairs' in data:
        raise ConfigError("data has 'pairs' but no 'folder'.")
    loader, evaluator = choose_set(cfg, data.get('set'))
    loader.update(batch_size=1, sampler=dict(
        type='DefaultSampler', shuffle=False))
    return cfg, loader, evaluator


def choose_set(cfg, name):
    """Return the dataloader and evaluator of a test set: the first, or the one
    whose metrics have the prefix ``name``."""
    from mmagic.engine.runner.loop_utils import (is_evaluator,
                                                 update_and_check_evaluator)
    from irsde_mm.config import dataloaders
    loaders, evaluators = dataloaders(cfg, 'test'), cfg.test_evaluator
    # the forms that mmagic's loop supports
    evaluators = [evaluators] if is_evaluator(evaluators) else evaluators
    evaluators = [update_and_check_evaluator(e) for e in evaluators]
    names = [e['metrics'][0].get('prefix') for e in evaluators]
    if name is not None and name not in names:
        raise ConfigError(f'no test set {name!r}; use one of '
                          f'{", ".join(map(str, names))}.')
    index = 0 if name is None else names.index(name)
    return loaders[index], evaluators[index]


def metric_configs(evaluator, keys=SCORES) -> list:
    """Return our metrics, with the border and the weights of the evaluator.

    Metrics of mmagic do not round images and cannot be compared, and LPIPS is
    that of AlexNet.
    """
    given = {metric['type']: metric for metric in evaluator['metrics']
             if metric.get('net', 'alex') == 'alex'}
    border = max((metric.get('crop_border', 0)
                  for kind, metric in given.items()
                  if kind in ('irsde_mm.PSNR', 'irsde_mm.SSIM')), default=0)
    configs = []
    for key in keys:
        kind = f"irsde_mm.{key.removesuffix('_Y')}"
        config = dict(type=kind)
        if kind in ('irsde_mm.PSNR', 'irsde_mm.SSIM'):
            config.update(crop_border=border,
                          channel='y' if key in LUMA else 'rgb')
        elif kind in given:
            config = dict(given[kind], prefix=None)
        configs.append(config)
    return configs


def draw(path: Path, image) -> None:
    """Write an image (C, H, W), BGR or gray in 0..255, as PNG."""
    from irsde_mm.io.grids import to_rgb
    from PIL import Image
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + files.PART)
    Image.fromarray(to_rgb(image)).save(part, format='PNG')
    files.replace(part, path)


def digest_of(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
