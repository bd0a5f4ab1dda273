"""Architecture entry of spandrel for exported files.

spandrel's loader passes on the tensors of a file alone, so exported files
contain their settings as a tensor, too.
"""
from spandrel import (MAIN_REGISTRY, Architecture, ArchRegistry, ArchSupport,
                      ImageModelDescriptor, StateDict)
from torch import Tensor, nn

from ..errors import CheckpointError
from ..inference import RestorationPipeline
from ..model_files.exported import SETTINGS, unpacked
from ..model_files.pipelines import build_pipeline, errors_naming
from ..model_files.settings import needs_registries, pipeline_settings


class RestorationModel(nn.Module):
    """Pipeline as a module, one network call where its output allows it.

    Args:
        pipeline (RestorationPipeline): The pipeline. An output that needs
            several calls, such as the noise, uses the sampler of the file.
    """

    def __init__(self, pipeline: RestorationPipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.networks = nn.ModuleList(
            (pipeline.network, *pipeline.hooks.networks()))
        one_call = pipeline.output.one_call(pipeline.sde,
                                            pipeline.sde.num_steps)
        self.steps = 1 if one_call else None

    def forward(self, images: Tensor) -> Tensor:
        """Restore images (B, C, H, W) in [0, 1], RGB; the same noise for
        each."""
        self.pipeline.to(images.device)
        return self.pipeline.restore_tensor(
            images, steps=self.steps, seed=self.pipeline.seed)


class IRSDEArchitecture(Architecture[RestorationModel]):
    """Models exported by irsde_mm, see :func:`install`."""

    def __init__(self) -> None:
        super().__init__(id='IRSDE', name='IR-SDE (irsde_mm)',
                         detect=lambda state: SETTINGS in state)

    def load(self, state_dict: StateDict
             ) -> ImageModelDescriptor[RestorationModel]:
        """Build the model of an exported file.

        Raises:
            CheckpointError: If the file was changed, or cannot be used.
        """
        checkpoint = unpacked('the file', state_dict)
        with errors_naming('the file'):
            settings = pipeline_settings(checkpoint)
            if settings is None or needs_registries(settings):
                raise CheckpointError('it needs components that are not part '
                                      'of irsde_mm.')
            pipeline = build_pipeline(settings, checkpoint['state_dict'])
        model = RestorationModel(pipeline).eval()
        return ImageModelDescriptor(
            model, model.state_dict(), architecture=self,
            purpose='SR' if pipeline.upscale > 1 else 'Restoration',
            tags=[checkpoint['meta']['exported']['title']],
            supports_half=False, supports_bfloat16=False,
            scale=pipeline.upscale, input_channels=pipeline.channels,
            output_channels=pipeline.channels)


def install(registry: ArchRegistry = MAIN_REGISTRY) -> None:
    """Let spandrel's loader open files that irsde_mm exported.

    Args:
        registry (ArchRegistry): The registry of the loader. An entry that
            exists is kept.
    """
    if 'IRSDE' not in registry:
        registry.add(ArchSupport.from_architecture(IRSDEArchitecture()))
