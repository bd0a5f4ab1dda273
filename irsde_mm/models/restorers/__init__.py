"""Models for training and testing with mmengine's Runner."""
from .autoencoder_model import AutoencoderModel
from .inpainting import GreyHolesDeepFill, WhiteHolePreprocessor
from .irsde_restorer import IRSDERestorer
from .latent_restorer import LatentRestorer
from .multi_stage_restorer import MultiStageRestorer
from .refining_restorer import RefiningRestorer
from .spandrel_model import SpandrelModel
from .super_resolver import SuperResolver
from .tiled_model import TiledEditModel

__all__ = [
    'AutoencoderModel', 'GreyHolesDeepFill', 'IRSDERestorer',
    'LatentRestorer', 'MultiStageRestorer', 'RefiningRestorer',
    'SpandrelModel', 'SuperResolver', 'TiledEditModel',
    'WhiteHolePreprocessor'
]
