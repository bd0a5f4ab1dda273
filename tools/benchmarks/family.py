"""The comparison of processes in docs/family.md, a suite of benchmark.py
quality.

Each process is trained twice with equal network and budget: with the output
and objective of its paper (as in configs/family), and with those that won the
study of docs/recipe.md. Missing models are trained in work_dirs/family: 2 to 4
minutes each on one core.
"""


def processes(kappa: float) -> dict:
    """Process, settings of its paper, and eta of its sampler."""
    l1, l2 = dict(type='mmagic.L1Loss'), dict(type='mmagic.MSELoss')
    bridge = dict(max_sigma=30 / 255, num_steps=100, schedule='cosine',
                  eps=0.005)

    def paper(output, distance, timesteps='discrete',
              loss='irsde_mm.OutputLoss'):
        return {
            'model.output': dict(output, _delete_=True),
            'model.pixel_loss': dict(
                type=loss, distance=distance, _delete_=True),
            'model.timesteps': timesteps}

    likelihood = paper(dict(type='irsde_mm.NoiseOutput'), l1,
                       loss='irsde_mm.MaximumLikelihoodLoss')
    return {
        'IR-SDE': (dict(type='irsde_mm.IRSDE', max_sigma=50 / 255,
                        num_steps=100, schedule='cosine', eps=0.005),
                   likelihood, 1.),
        'GOUB': (dict(type='irsde_mm.GOUB', **bridge), likelihood, 1.),
        'UniDB': (dict(type='irsde_mm.UniDB', gamma=1e7, **bridge),
                  likelihood, 1.),
        'I2SB': (dict(type='irsde_mm.I2SB', num_steps=1000, beta_max=0.3),
                 paper(dict(type='irsde_mm.StepOutput'), l2), 1.),
        'ResShift': (dict(type='irsde_mm.ResShift', num_steps=15, kappa=kappa,
                          power=0.3, min_noise=0.04, etas_end=0.99),
                     paper(dict(type='irsde_mm.CleanOutput'), l2), 1.),
        'RDDM': (dict(type='irsde_mm.RDDM', num_steps=1000, sum_scale=0.01),
                 {'model.generator.out_channels': 6, **paper(
                     dict(type='irsde_mm.ResidualNoiseOutput'), l1)}, 0.),
        'straight': (dict(type='irsde_mm.StraightSDE', sigma=10 / 255,
                          num_steps=100),
                     paper(dict(type='irsde_mm.VelocityOutput',
                                per_step=False), l2, 'continuous'), 0.)}


def study(task: str, kappa: float, iterations: int, images: int) -> dict:
    budget = {'train_cfg.max_iters': iterations,
              'param_scheduler.1.end': iterations}
    models = {}
    for process, (sde, settings, eta) in processes(kappa).items():
        if process == 'UniDB' and task == 'sr':
            continue  # equals GOUB, see deraining
        for output, options in (('paper', settings), ('x0', {})):
            for calls in sorted({1, 5, 10, min(20, sde['num_steps'])}):
                label = f'{process}, {output}, {calls} call{"s" * (calls > 1)}'
                models[label] = dict(
                    config=f'bsds/{task}', sampler=dict(
                        type='irsde_mm.JumpSampler', num_steps=calls,
                        eta=eta),
                    train='work_dirs/family/'
                          f'{task}/{process}_{output}'.lower(),
                    options={'model.sde': dict(sde, _delete_=True),
                             **options, **budget})
    models['regression'] = dict(
        config=f'bsds/{task}_cnn', options=budget,
        train=f'work_dirs/family/{task}/regression')
    return dict(data=dict(config=f'bsds/{task}', images=images,
                          metrics=['PSNR', 'LPIPS', 'DISTS']), models=models)


name = 'family'
tasks = dict(derain=study('derain', kappa=2., iterations=600, images=10),
             sr=study('sr', kappa=1., iterations=600, images=6))
