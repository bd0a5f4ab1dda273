"""Registration of the components defined in the torch-only packages."""
from .. import networks, operators, samplers, sde
from ..registry import DIFFUSION_SCHEDULERS, MODELS

for _component in (
        # processes
        sde.IRSDE, sde.DenoisingSDE, sde.VPSDE, sde.GOUB, sde.UniDB,
        sde.I2SB, sde.ResShift, sde.RDDM, sde.StraightSDE,
        # outputs
        sde.NoiseOutput, sde.EulerNoiseOutput, sde.CleanOutput,
        sde.ResidualOutput, sde.StepOutput, sde.VelocityOutput,
        sde.PreconditionedOutput, sde.ResidualNoiseOutput,
        # samplers
        samplers.EulerMaruyamaSampler, samplers.ProbabilityFlowSampler,
        samplers.MeanODESampler, samplers.PosteriorSampler,
        samplers.JumpSampler, samplers.MultistepSampler,
        samplers.DiffusersSampler,
        # operators of data consistency
        operators.MaskOperator, operators.DownsamplingOperator,
        operators.BlurOperator):
    DIFFUSION_SCHEDULERS.register_module(module=_component)

for _component in (networks.ConditionalUNet, networks.ConditionalNAFNet,
                   networks.LatentUNet, networks.MAXIM):
    MODELS.register_module(module=_component)
