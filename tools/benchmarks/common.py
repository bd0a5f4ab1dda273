"""What the benchmarks share."""
import time


def seconds(job) -> float:
    """Wall-clock seconds of a job, a function without arguments."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def load_model(cfg, device, checkpoint=None):
    """A model of any kind, as testing has it.

    Args:
        cfg (Config): With ``model``.
        device (torch.device): Where it goes.
        checkpoint (str, optional): Its weights.

    Raises:
        ConfigError, CheckpointError: If it cannot be built or loaded.
    """
    from irsde_mm.config import complete_model, config_scope
    from irsde_mm.model_files import load_weights
    from irsde_mm.registry import MODELS
    complete_model(cfg)
    with config_scope(cfg):
        model = MODELS.build(cfg.model)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    return model.to(device).eval()


def plan(pipeline, names, calls) -> list:
    """(name, calls, sampler) of all that fit the process of a pipeline.

    Raises:
        ConfigError: If a sampler is unknown.
    """
    from irsde_mm.errors import ConfigError
    from irsde_mm.inference.presets import sampler_config
    jobs = []
    for name in names:
        sampler_config(name, pipeline.sde)  # an unknown one stops at once
        for n in calls:
            try:
                jobs.append((name, n, pipeline.choose_sampler(name, n)))
            except ConfigError as error:
                print(f'{name} with {n} calls is left out: {error}')
    return jobs
