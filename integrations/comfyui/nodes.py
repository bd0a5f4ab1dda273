"""Two nodes: load a model, and restore a batch of images with it."""
from pathlib import Path

import folder_paths  # of ComfyUI
import torch

from irsde_mm.errors import CheckpointError, DataError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.image_pipeline import SEED_LIMIT
from irsde_mm.model_files import bundled_models
from irsde_mm.model_files.hub_folders import WEIGHTS, is_hub_folder

#: Kind of the models: their folder in ComfyUI's models/.
FOLDER = 'irsde_mm'
MODEL = 'IRSDE_MODEL'
CATEGORY = 'image/restoration'
TILES = ('auto', 'off', '256', '384', '512', '768', '1024')

folder_paths.folder_names_and_paths[FOLDER] = (
    [str(Path(folder_paths.models_dir) / FOLDER)], {'.safetensors'})


class LoadRestorationModel:
    """Load a bundled model by its task, or a file in ``models/irsde_mm/``."""

    CATEGORY, FUNCTION = CATEGORY, 'load'
    RETURN_TYPES, RETURN_NAMES = (MODEL, ), ('model', )

    @classmethod
    def INPUT_TYPES(cls) -> dict:  # noqa: N802, ComfyUI's name
        names = [*bundled_models(), *folder_paths.get_filename_list(FOLDER)]
        return dict(required=dict(task=(names, )))

    def load(self, task: str) -> tuple:
        """Return the pipeline of a model.

        Args:
            task (str): Task of a bundled model, or path of an exported file,
                or of the weights in a hub folder, within the folder.

        Raises:
            CheckpointError: If the file is missing or cannot be used.
        """
        if task in bundled_models():
            return (RestorationPipeline.from_bundled(task), )
        found = folder_paths.get_full_path(FOLDER, task)
        if found is None:
            raise CheckpointError(f"no file '{task}' in models/{FOLDER}/.")
        path = Path(found)
        if path.name == WEIGHTS and is_hub_folder(path.parent):
            path = path.parent
        return (RestorationPipeline.from_file(path), )


class RestoreImage:
    """Restore a batch of images, each independently of the others."""

    CATEGORY, FUNCTION = CATEGORY, 'restore'
    RETURN_TYPES = ('IMAGE', )

    @classmethod
    def INPUT_TYPES(cls) -> dict:  # noqa: N802, ComfyUI's name
        return dict(required=dict(
            model=(MODEL, ), image=('IMAGE', ),
            steps=('INT', dict(
                default=0, min=0, max=1000, tooltip='network calls per '
                'image; 0 uses the sampler of the model')),
            seed=('INT', dict(default=0, min=0, max=SEED_LIMIT - 1,
                              control_after_generate=True)),
            crispness=('FLOAT', dict(
                default=1., min=0., max=1.5, step=0.05, tooltip='0 is '
                'faithful and smooth, 1 has all detail of a sample')),
            tile=(TILES, dict(default='auto', tooltip='longest side of a '
                              'tile of large images, in pixels'))))

    def restore(self, model: RestorationPipeline, image: torch.Tensor,
                steps: int, seed: int, crispness: float, tile: str) -> tuple:
        """Return the restored images.

        Args:
            model (RestorationPipeline): The model.
            image (Tensor): Images (B, H, W, 3) of floats, RGB in [0, 1].
            steps (int): Number of network calls; 0 for the model's.
            seed (int): Seed of the noise, the same for every image.
            crispness (float): From 0 to 1.5.
            tile (str): One of :data:`TILES`.

        Returns:
            tuple[Tensor]: Images (B, s H, s W, 3) of float32 on the CPU,
            where s is the scale of the model.

        Raises:
            ConfigError, DataError: If an option or an image cannot be used.
        """
        inputs = to_model(image, model.channels)
        batches = model.in_batches([inputs.shape[-2:]] * len(inputs))
        options = dict(steps=steps or None, seed=seed, crispness=crispness,
                       tile=int(tile) if tile.isdecimal() else tile)
        restored = torch.cat([model(inputs[batch], **options).cpu()
                              for batch in batches])
        return (restored.movedim(1, -1).expand(-1, -1, -1, 3).contiguous(), )


def to_model(image: torch.Tensor, channels: int) -> torch.Tensor:
    """Convert images of ComfyUI to (B, channels, H, W) in [0, 1].

    Raises:
        DataError: If they are not RGB, or in color for a gray model.
    """
    if image.ndim != 4 or image.shape[-1] != 3:
        raise DataError('images must be (B, H, W, 3), but got '
                        f'{tuple(image.shape)}.')
    inputs = image.movedim(-1, 1).float().clamp(0, 1)
    if channels == 1:
        if (inputs != inputs[:, :1]).any():
            raise DataError('the images are in color, but the model restores '
                            'grayscale images only.')
        inputs = inputs[:, :1]
    return inputs.contiguous()


NODE_CLASS_MAPPINGS = dict(IRSDELoadModel=LoadRestorationModel,
                           IRSDERestore=RestoreImage)
NODE_DISPLAY_NAME_MAPPINGS = dict(
    IRSDELoadModel='Load Restoration Model (irsde_mm)',
    IRSDERestore='Restore Image (irsde_mm)')
