"""What the benchmarks share."""
import time


def seconds(job) -> float:
    """Wall-clock seconds of a job, a function without arguments."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def plan(model, names, calls) -> list:
    """(name, calls, sampler) of all that fit the process.

    Raises:
        ConfigError: If a sampler is unknown.
    """
    from irsde_mm.apis.inference import choose_sampler
    from irsde_mm.errors import ConfigError
    from irsde_mm.models.restorers.sampler_choice import sampler_config
    jobs = []
    for name in names:
        sampler_config(name, model.sde)  # an unknown one stops at once
        for n in calls:
            try:
                jobs.append((name, n, choose_sampler(model, name, n)))
            except ConfigError as error:
                print(f'{name} with {n} calls is left out: {error}')
    return jobs
