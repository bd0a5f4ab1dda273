"""Loading and saving of pipelines."""
from pathlib import Path
from typing import Any, Optional, Sequence, Union


class Pretrained:
    """Methods of a pipeline that read and write models.

    Attributes:
        origin (Origin, optional): Description of the file that the pipeline
            was loaded from.
    """

    origin: Optional[Any] = None

    @classmethod
    def from_file(cls, path: Union[str, Path], device: Optional[str] = None):
        """Load a pipeline from an exported file or an irsde_mm checkpoint.

        Args:
            path (str | Path): The file.
            device (str, optional): By default, the first GPU if available.

        Raises:
            CheckpointError: If the file is missing, corrupt, or contains
                another type of model.
        """
        from ..model_files import open_pipeline
        return open_pipeline(path, device)

    @classmethod
    def from_bundled(cls, name: str, device: Optional[str] = None):
        """Load the pipeline of a model bundled with the package.

        Args:
            name (str): Name of the model.
            device (str, optional): By default, the first GPU if available.

        Raises:
            ConfigError: If the name is unknown.
        """
        from ..model_files import bundled_model
        return cls.from_file(bundled_model(name), device)

    @classmethod
    def from_pretrained(cls, folder_or_repo: Union[str, Path], *,
                        revision: Optional[str] = None,
                        device: Optional[str] = None):
        """Load a pipeline in the layout of the Hugging Face Hub.

        Loading executes no code of the model: the settings are JSON, the
        weights safetensors.

        Args:
            folder_or_repo (str | Path): A local folder, or a repository
                ``OWNER/NAME``, which huggingface_hub (extra ``hub``)
                downloads into its cache. A folder takes precedence.
            revision (str, optional): Branch, tag or commit of a repository;
                by default, 'main'.
            device (str, optional): By default, the first GPU if available.

        Raises:
            ConfigError: If huggingface_hub is required but not installed, or
                a revision of a local folder is requested.
            CheckpointError: If the model is missing, corrupt, or of another
                library, or if the download fails.
        """
        from ..model_files.hub import find_folder
        return cls.from_file(find_folder(folder_or_repo, revision), device)

    def save_pretrained(self, folder: Union[str, Path], *,
                        license: Optional[str] = None,
                        datasets: Optional[Sequence[str]] = None,
                        metrics: Optional[Sequence[str]] = None) -> None:
        """Write the pipeline to a folder in the layout of the Hugging Face
        Hub: ``model.safetensors``, ``config.json`` and ``README.md``.

        The card is that of the file, ``NAME.md`` next to
        ``NAME.safetensors``. Without such a file, it lists the settings.
        Requires huggingface_hub (extra ``hub``).

        Args:
            folder (str | Path): The folder, which has none of these files.
            license (str, optional): Identifier of the license on the Hub,
                such as 'apache-2.0' or 'other'. By default, as for the other
                metadata, the value in the card is kept.
            datasets (Sequence[str], optional): Training data.
            metrics (Sequence[str], optional): Metrics of the evaluation.

        Raises:
            ConfigError: If huggingface_hub is not installed, the pipeline was
                not loaded from a file, or a component was replaced.
            OutputError: If a file exists or cannot be written.
        """
        from ..model_files.hub import save_pretrained
        save_pretrained(self, folder, license, datasets, metrics)

    def push_to_hub(self, repo: str, *, revision: Optional[str] = None,
                    private: Optional[bool] = None,
                    license: Optional[str] = None,
                    datasets: Optional[Sequence[str]] = None,
                    metrics: Optional[Sequence[str]] = None) -> str:
        """Upload the pipeline to the Hugging Face Hub in one commit.

        The repository is created if it is missing. In an existing one, the
        earlier files remain in its history. Requires huggingface_hub (extra
        ``hub``) and its login.

        Args:
            repo (str): ``OWNER/NAME``.
            revision (str, optional): Branch to commit to; by default, 'main'.
            private (bool, optional): Whether a new repository is private; by
                default, as set for the owner.
            license, datasets, metrics: See :meth:`save_pretrained`.

        Returns:
            str: Address of the commit.

        Raises:
            ConfigError: As for :meth:`save_pretrained`.
            OutputError: If the upload fails.
        """
        from ..model_files.hub import push_to_hub
        return push_to_hub(self, repo, revision, private, license=license,
                           datasets=datasets, metrics=metrics)
