"""Functions shared by the benchmarks."""
import time


def seconds(job) -> float:
    """Return the wall-clock seconds of a job, a function without arguments."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def seconds_of(job, device) -> float:
    """Return the seconds of a job, including its work on a device."""
    import torch
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    wait()
    return seconds(lambda: (job(), wait()))


def network_calls(pipeline, images) -> tuple:
    """Return what restoring images as a batch asks of the network.

    Args:
        pipeline (RestorationPipeline): The model.
        images: Images (H, W, C) of the same size.

    Returns:
        (calls, number): A function that makes the calls, and their number.
    """
    from irsde_mm.inference.pipeline import run_network
    sde, network = pipeline.sde, pipeline.network
    mu = sde.from_image(pipeline.as_inputs(images)[0])
    times = pipeline.sampler.begin(sde, sde.num_steps)[1][:-1]

    def calls():
        with pipeline.calls.session() as session:
            session.trajectory(network, map(sde.network_time, times))
            for t in times:
                run_network(session, network, sde, mu, mu, t)

    return calls, len(times)


def load_model(cfg, device, checkpoint=None):
    """Build a model of any kind in test mode.

    Args:
        cfg (Config): Config with ``model``.
        device (torch.device): Device of the model.
        checkpoint (str, optional): Weights to load.

    Raises:
        ConfigError, CheckpointError: If it cannot be built or loaded.
    """
    from irsde_mm.apis.edit_models import has_weights
    from irsde_mm.config import complete_model, config_scope
    from irsde_mm.model_files import load_weights
    from irsde_mm.registry import MODELS
    complete_model(cfg)
    with config_scope(cfg):
        model = MODELS.build(cfg.model)
    if checkpoint is not None and not has_weights(model):
        load_weights(model, checkpoint)
    return model.to(device).eval()


def plan(pipeline, names, calls) -> list:
    """Return (name, calls, sampler) for all samplers that support the process
    of a pipeline.

    Raises:
        ConfigError: If a sampler is unknown.
    """
    from irsde_mm.errors import ConfigError
    from irsde_mm.inference.presets import sampler_config
    jobs = []
    for name in names:
        # unknown names raise an error
        sampler_config(name, pipeline.sde, pipeline.output)
        for n in calls:
            try:
                jobs.append((name, n, pipeline.choose_sampler(name, n)))
            except ConfigError as error:
                print(f'{name} with {n} calls is left out: {error}')
    return jobs
