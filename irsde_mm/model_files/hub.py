"""Exchange of models with the Hugging Face Hub.

huggingface_hub is imported only when it is needed.
"""
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence, Union

from ..errors import (CheckpointError, ConfigError, IRSDEError, OutputError,
                      missing_package)
from ..inference import RestorationPipeline
from ..version import __version__
from .cards import card_of
from .hub_folders import (CARD, CONFIG, LIBRARY, WEIGHTS, check_free,
                          is_hub_folder, write_hub_folder)
from .origin import current_settings, current_weights
from .settings import check_settings

#: Start of the name of a model on the Hub, ``hf://OWNER/NAME[@REVISION]``.
PREFIX = 'hf://'
REPO = re.compile(r'\w[\w.-]*/\w[\w.-]*')


def find_on_hub(model: str) -> str:
    """Download a model ``hf://OWNER/NAME[@REVISION]`` and return its folder.

    Any other value is returned unchanged.

    Raises:
        ConfigError, CheckpointError: See :func:`download`.
    """
    if not str(model).startswith(PREFIX):
        return str(model)
    repo, _, revision = model.removeprefix(PREFIX).partition('@')
    return str(download(repo, revision or None))


def find_folder(folder_or_repo: Union[str, Path],
                revision: Optional[str] = None) -> Path:
    """Return a local folder with a model, or download it from the Hub.

    An existing folder takes precedence over a repository of the same name.

    Raises:
        ConfigError: If a revision of a local folder is requested.
        CheckpointError: If it is neither a folder with a model nor the name
            of a repository, or if the download fails.
    """
    folder = Path(folder_or_repo)
    if not folder.is_dir():
        return download(str(folder_or_repo), revision)
    if revision is not None:
        raise ConfigError(f"'{folder}' is a local folder and has no revision "
                          f'{revision!r}.')
    if not is_hub_folder(folder):
        raise CheckpointError(f"'{folder}' has no {CONFIG}.")
    return folder


def download(repo: str, revision: Optional[str] = None) -> Path:
    """Download a model from the Hub into the cache of huggingface_hub.

    Without a connection, a copy in the cache is used.

    Args:
        repo (str): ``OWNER/NAME``.
        revision (str, optional): Branch, tag or commit; by default, 'main'.

    Raises:
        ConfigError: If huggingface_hub is not installed.
        CheckpointError: If the repository, its model or the revision is
            missing, or the download fails.
    """
    if not REPO.fullmatch(repo):
        raise CheckpointError(
            f"'{repo}' is neither a folder nor the name of a repository on "
            'the Hugging Face Hub, OWNER/NAME.')
    with errors_of_hub(f"'{repo}' cannot be downloaded", CheckpointError):
        from huggingface_hub import snapshot_download
        folder = Path(snapshot_download(
            repo, revision=revision, allow_patterns=[CONFIG, WEIGHTS, CARD],
            library_name=LIBRARY, library_version=__version__))
    if not is_hub_folder(folder):
        raise CheckpointError(f"'{repo}' has no {CONFIG}.")
    return folder


@contextmanager
def errors_of_hub(what: str, kind: type) -> Iterator[None]:
    """Convert errors of huggingface_hub to one line.

    Args:
        what (str): Start of the message.
        kind (type): Class of the error.
    """
    try:
        yield
    except IRSDEError:
        raise
    except ImportError as error:
        raise missing_package(error) or error from error
    except Exception as error:  # of httpx, requests or the file system
        reason = ' '.join(str(error).split())[:300] or type(error).__name__
        raise kind(f'{what}: {reason}') from error


def save_pretrained(pipeline: RestorationPipeline, folder: Union[str, Path],
                    license: Optional[str] = None,
                    datasets: Optional[Sequence[str]] = None,
                    metrics: Optional[Sequence[str]] = None) -> None:
    """Write a pipeline to a folder, see
    :meth:`RestorationPipeline.save_pretrained`."""
    folder = Path(folder)
    check_free(folder)
    settings = current_settings(pipeline)
    check_settings(settings)
    origin = pipeline.origin
    content = dict(origin.texts, pipeline=settings, settings=origin.training)
    if pipeline.calibration is not None:
        content['calibration'] = pipeline.calibration.settings()
    with errors_of_hub('the model card cannot be written', OutputError):
        card = card_of(origin, settings, license, datasets, metrics)
    write_hub_folder(folder, current_weights(pipeline), content, card)


def push_to_hub(pipeline: RestorationPipeline, repo: str,
                revision: Optional[str] = None,
                private: Optional[bool] = None, **metadata) -> str:
    """Upload a pipeline in one commit, see
    :meth:`RestorationPipeline.push_to_hub`."""
    if not REPO.fullmatch(repo):
        raise ConfigError(f"'{repo}' is not the name of a repository on the "
                          'Hugging Face Hub, OWNER/NAME.')
    with tempfile.TemporaryDirectory(prefix='irsde_hub_') as folder:
        save_pretrained(pipeline, folder, **metadata)
        with errors_of_hub(f"'{repo}' cannot be written", OutputError):
            from huggingface_hub import HfApi
            api = HfApi(library_name=LIBRARY, library_version=__version__)
            api.create_repo(repo, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo, folder_path=folder, revision=revision,
                commit_message=f'Upload of irsde_mm {__version__}')
    return commit.commit_url
