"""Scores of every image of a test, and pictures."""
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
    """Writes the scores of every image of a test, and its picture.

    ``per_image.csv`` and ``per_image.json`` in the folder of the run have a
    row for each image: the test set (its metrics' prefix), a running number,
    the image's name, and its score by each metric that scores single images.
    One process writes them, in the order of a single process, without the
    images that a sampler adds to give every process the same number. A
    picture is what the config's visualizer draws; its name begins with set
    and image and ends in the row's number, so none overwrites another.

    For any model and any metric whose results are a dict an image, as those
    of irsde_mm and mmagic. mmagic's ``BasicVisualizationHook`` names pictures
    by image alone, so a second test set overwrites those of the first.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self.evaluators: List[Evaluator] = []  # of each test set
        self.names: List[str] = []
        self.sizes: List[int] = []
        self.seen: List[int] = []  # by this process
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
            # samplers deal the images out in turn
            place = self.seen[which] * processes + rank
            self.seen[which] += 1
            if place >= self.sizes[which]:
                continue
            number = sum(self.sizes[:which]) + place
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
    """A name for each test set: the prefix of its metrics, with a number
    where that does not distinguish the sets."""
    names = ['-'.join(dict.fromkeys(
        metric.prefix for metric in evaluator.metrics if metric.prefix))
        for evaluator in evaluators]
    if len(set(names)) < len(names):
        names = [f'{name or "set"}_{i}' for i, name in enumerate(names)]
    return names


def scores_of_batch(metrics: Sequence, before: int,
                    count: int) -> List[Dict[str, float]]:
    """Scores of the last ``count`` images.

    Args:
        metrics: Only those with one result for each image are used.
        before (int): Images scored before.
        count (int): Images of the batch.
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
    """File name of the degraded image, or of the clean one."""
    path = sample.get('img_path', sample.get('gt_path', ''))
    # a video's frames: the first
    path = path[0] if isinstance(path, (list, tuple)) and path else path
    return PurePath(str(path)).name


def draw(visualizer, sample, part: str, name: str, number: int) -> None:
    """One picture, by mmagic's visualizers; others know no images."""
    key = getattr(visualizer, 'fn_key', None)
    if key is None:
        return
    # the visualizer cuts at dots, spaces and slashes
    words = [re.sub(r'[\s./\\]+', '_', word)
             for word in (part, PurePath(name).stem) if word]
    named = sample.new()
    named.set_metainfo({key: '_'.join(words)})
    visualizer.add_datasample(named, step=number)
