"""Hook that saves per-image scores and images of a test."""
import re
from pathlib import Path, PurePath
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import pandas as pd
from mmengine.dist import all_gather_object, get_dist_info, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook

from ...io.plain_json import to_json
from ...registry import HOOKS
from ..loops import dataloaders_of, evaluators_of


@HOOKS.register_module()
class ResultsHook(Hook):
    """Hook that saves the scores and the output of every test image.

    ``per_image.csv`` and ``per_image.json`` in the folder of the run have one
    row per image: the test set (the prefix of its metrics), a running number,
    the image's name, and its score for each metric that scores single images.
    The main process writes them in the order of a single-process run, without
    the duplicates that a sampler adds so that all processes have the same
    number of images. The output is drawn by the config's visualizer. Its name
    starts with the set and the image name and ends with the row number, so
    files do not overwrite each other.

    Any model is supported, as well as any metric whose results are one dict
    per image, as in irsde_mm and mmagic. mmagic's ``BasicVisualizationHook``
    names outputs by image only, so a second test set overwrites those of the
    first.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self.evaluators: List[Evaluator] = []  # one for each test set
        self.names: List[str] = []
        self.sizes: List[int] = []
        self.seen: List[int] = []  # images processed by this process
        self.rows: List[dict] = []

    def before_test_epoch(self, runner) -> None:
        self.evaluators = evaluators_of(runner.test_loop)
        self.names = set_names(self.evaluators)
        self.sizes = [len(loader.dataset)
                      for loader in dataloaders_of(runner.test_loop)]
        self.seen = [0] * len(self.sizes)
        self.rows = []

    def after_test_iter(self, runner, batch_idx: int, data_batch: Any = None,
                        outputs: Optional[Sequence] = None) -> None:
        which = self.evaluators.index(runner.test_loop.evaluator)
        rank, processes = get_dist_info()
        scores = scores_of_batch(self.evaluators[which].metrics,
                                 self.seen[which], len(outputs))
        for sample, row in zip(outputs, scores):
            # samplers assign images to processes in turn
            index = self.seen[which] * processes + rank
            self.seen[which] += 1
            if index >= self.sizes[which]:
                continue
            number = sum(self.sizes[:which]) + index
            name = image_name(sample)
            self.rows.append(dict(
                set=self.names[which], number=number, image=name, **row))
            draw(runner.visualizer, sample, self.names[which], name, number)

    def after_test_epoch(self, runner,
                         metrics: Optional[Dict[str, float]] = None) -> None:
        rows = [row for part in all_gather_object(self.rows) for row in part]
        if not rows or not is_main_process():
            return
        rows.sort(key=lambda row: row['number'])
        folder = Path(runner.log_dir)
        pd.DataFrame(rows).to_csv(folder / 'per_image.csv', index=False,
                                  errors='backslashreplace')
        (folder / 'per_image.json').write_text(to_json(rows, indent=1) + '\n')


def set_names(evaluators: Sequence) -> List[str]:
    """Return a name for each test set: the prefix of its metrics.

    A number is appended if the prefixes are not unique.
    """
    names = ['-'.join(dict.fromkeys(
        metric.prefix for metric in evaluator.metrics if metric.prefix))
        for evaluator in evaluators]
    if len(set(names)) < len(names):
        names = [f'{name or "set"}_{i}' for i, name in enumerate(names)]
    return names


def scores_of_batch(metrics: Sequence, before: int,
                    count: int) -> List[Dict[str, float]]:
    """Return the scores of the last ``count`` images.

    Args:
        metrics: Metrics. Those without one result per image are ignored.
        before (int): Number of images scored before this batch.
        count (int): Number of images in this batch.
    """
    rows = [{} for _ in range(count)]
    for metric in metrics:
        if len(metric.results) != before + count:
            continue
        scaling = getattr(metric, 'scaling', 1)
        for row, result in zip(rows, metric.results[before:]):
            if isinstance(result, dict):
                row.update({
                    key: scaling * float(value)
                    for key, value in result.items()
                    if isinstance(value, (int, float, np.number))
                    and not np.isnan(value)})
    return rows


def image_name(sample) -> str:
    """Return the file name of the degraded image, else of the clean one."""
    path = sample.get('img_path', sample.get('gt_path', ''))
    # the first frame of a video
    path = path[0] if isinstance(path, (list, tuple)) and path else path
    return PurePath(str(path)).name


def draw(visualizer, sample, part: str, name: str, number: int) -> None:
    """Draw an image with an mmagic visualizer; ignore other visualizers."""
    key = getattr(visualizer, 'fn_key', None)
    if key is None:
        return
    # the visualizer truncates names at dots, spaces and slashes
    words = [re.sub(r'[\s./\\]+', '_', word)
             for word in (part, PurePath(name).stem) if word]
    named = sample.new()
    named.set_metainfo({key: '_'.join(words)})
    visualizer.add_datasample(named, step=number)
