"""Settings of a job, the same for all of its processes."""
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from ..apis.options import Options
from ..errors import CheckpointError, ConfigError, DataError
from ..io.files import is_graph
from ..io.reader import MAX_PIXELS
from ..model_files.bundled import find_bundled
from ..model_files.checkpoints import is_weights
from ..model_files.hub import find_on_hub
from ..model_files.hub_folders import CONFIG, WEIGHTS, is_hub_folder
from ..model_files.runs import find_run
from .places import Place

#: Further tries of a photo that cannot be read or written.
RETRIES = 3
#: Fields that change the results, with their names in messages.
DECISIVE = ('source', 'tile', 'self_ensemble', 'sampler', 'steps', 'seed',
            'crispness', 'data_consistency', 'white')


@dataclass(frozen=True)
class Job:
    """Restoration of all photos at SOURCE to TARGET. Picklable.

    Attributes:
        source (str): Folder, photo or tar shards; see :class:`Source`.
        target (str): Folder or fsspec address of the results.
        model, checkpoint, device, tile, self_ensemble: See
            :class:`RestorationInferencer`.
        sampler, steps, seed, crispness, data_consistency, white, max_pixels,
            batch_size, force: See :class:`Options`.
        retries (int): How often reading or writing a photo is tried again, 0
            or more.
        fingerprint (str): Checksum of the files of the model and of data
            consistency; set by :meth:`create`.
    """

    source: str
    target: str
    model: str
    checkpoint: Optional[str] = None
    device: Optional[str] = None
    tile: Union[None, int, str] = None
    self_ensemble: Optional[int] = None
    sampler: Union[None, str, dict] = None
    steps: Optional[int] = None
    seed: Optional[int] = None
    crispness: Optional[float] = None
    data_consistency: Any = None
    white: Optional[int] = None
    max_pixels: int = MAX_PIXELS
    batch_size: Optional[int] = None
    force: bool = False
    retries: int = RETRIES
    fingerprint: str = field(default='', compare=False)

    @classmethod
    def create(cls, source: str, target: str, model: str,
               **options) -> 'Job':
        """Return a job that can be run in any folder.

        Args:
            source, target, model, **options: The fields of the class.

        Raises:
            ConfigError, CheckpointError: If an option is invalid, or a file
                is missing.
        """
        job = cls(str(source), str(target), str(model), **options)
        if type(job.retries) is not int or job.retries < 0:
            raise ConfigError(f'retries={job.retries!r} must be an integer of '
                              'at least 0.')
        if is_graph(job.model):
            raise ConfigError(f"'{job.model}' is an exported graph, which has "
                              'no engines: restore without --engine.')
        job = replace(
            job, source=str(Place(job.source)), target=str(Place(job.target)),
            model=existing(job.model), checkpoint=job.checkpoint and existing(
                job.checkpoint), data_consistency=with_paths(
                    job.data_consistency))
        return replace(job, fingerprint=job.checksum())

    def files(self) -> List[Path]:
        """Return the files that the results depend on.

        Raises:
            ConfigError, CheckpointError: If the model is missing.
        """
        model = Path(find_bundled(find_on_hub(self.model)))
        if is_hub_folder(model):
            found = [model / CONFIG, model / WEIGHTS]
        elif model.is_dir():
            found = list(find_run(str(model)))
        elif is_weights(model):
            found = [model]
        else:
            from ..config import find_config
            found = [find_config(str(model))]
        if self.checkpoint:
            found = [*found[:1], Path(self.checkpoint)]
        return found + [Path(path) for path in files_in(
            self.data_consistency)]

    def checksum(self) -> str:
        """Return a checksum of :meth:`files`.

        Raises:
            ConfigError, CheckpointError: If one cannot be read.
        """
        sums = hashlib.sha256()
        for path in self.files():
            try:
                with open(path, 'rb') as file:
                    sums.update(hashlib.file_digest(file, 'sha256').digest())
            except OSError as error:
                raise CheckpointError(f"'{path}' cannot be read: "
                                      f'{error.strerror}.') from None
        return sums.hexdigest()[:16]

    def check_files(self) -> None:
        """Check that this machine has the files of the job.

        Raises:
            CheckpointError: If they differ.
        """
        if self.checksum() != self.fingerprint:
            raise CheckpointError(
                f"the files of '{self.model}' on this machine are not those "
                'that the job has started with.')

    def identity(self) -> Dict[str, Any]:
        """Return what the results depend on, as plain data."""
        found = {name: getattr(self, name) for name in DECISIVE}
        device = (self.device or 'default').partition(':')[0]
        return dict(found, device=device, model=self.fingerprint)

    def options(self) -> Options:
        """Return the options of the inferencer."""
        return Options(**{name: getattr(self, name) for name in (
            'sampler', 'steps', 'seed', 'crispness', 'batch_size',
            'data_consistency', 'max_pixels', 'white', 'force')},
            show_progress=False)


def existing(path: str) -> str:
    """Return the absolute path of a file, and any other name unchanged."""
    return str(Path(path).absolute()) if Path(path).exists() else path


def files_in(setting: Any) -> List[str]:
    """Return the files that the setting of data consistency names."""
    operator = setting.get('operator') if isinstance(setting, dict) else None
    if not isinstance(operator, dict):
        return []
    return [operator[key] for key in ('mask', 'kernel')
            if isinstance(operator.get(key), str)]


def with_paths(setting: Any) -> Any:
    """Return the setting of data consistency with absolute paths.

    Raises:
        DataError: If a file is missing.
    """
    for file in files_in(setting):
        if not Path(file).is_file():
            raise DataError(f"'{file}' does not exist.")
    if not files_in(setting):
        return setting
    return dict(setting, operator={
        key: existing(value) if key in ('mask', 'kernel') else value
        for key, value in setting['operator'].items()})
