# The study of docs/recipe.md: what the network predicts, lam, the distance and
# the training times, with equal budgets and a regression beside. Missing
# models are trained in work_dirs/recipe (1.5 minutes each on one core, 5 with
# VGG features):
# tools/benchmark.py quality --suite configs/bsds/recipe.py --out FOLDER
name = 'recipe'
iterations = 600
L1, L2 = dict(type='mmagic.L1Loss'), dict(type='mmagic.MSELoss')
VGG = dict(type='irsde_mm.SumLoss', losses=[
    L1, dict(type='irsde_mm.PerceptualLoss', loss_weight=0.01)])
OUTPUT_L1 = dict(type='irsde_mm.OutputLoss', distance=L1)
OUTPUT_L2 = dict(type='irsde_mm.OutputLoss', distance=L2)
PUBLISHED = dict(type='irsde_mm.MaximumLikelihoodLoss')
EXACT = dict(PUBLISHED, exact=True)
NOISE = dict(type='irsde_mm.NoiseOutput')
CLEAN = dict(type='irsde_mm.CleanOutput', residual=True)
# sampler by number of calls
SAMPLERS = {
    1: dict(type='irsde_mm.JumpSampler', num_steps=1),
    2: dict(type='irsde_mm.JumpSampler', num_steps=2, eta=0.7),
    3: dict(type='irsde_mm.JumpSampler', num_steps=3, eta=1.),
    5: dict(type='irsde_mm.JumpSampler', num_steps=5, eta=0.7)}


def process(lam=50, output=NOISE, loss=PUBLISHED, times='discrete'):
    """Settings of a process."""
    return {
        'model.sde.max_sigma': lam / 255, 'model.timesteps': times,
        'model.output': dict(output, _delete_=True),
        'model.pixel_loss': dict(loss, _delete_=True)}


def clean(loss=OUTPUT_L1, **kwargs):
    """A process whose network predicts the clean image."""
    return process(output=CLEAN, loss=loss, **kwargs)


def runs(task, processes, regressions):
    """The entries of a task, by name."""
    found = {}
    for label, options in processes.items():
        found.update({f'{label}, {n} calls': dict(
            entry(task, label, f'bsds/{task}', options), sampler=sampler)
            for n, sampler in SAMPLERS.items()})
    for label, loss in regressions.items():
        found[label] = entry(task, label, f'bsds/{task}_cnn', {
            'model.pixel_loss': dict(loss, _delete_=True)})
    return found


def entry(task, label, config, options):
    words = ''.join(c if c.isalnum() else ' ' for c in label).split()
    return dict(
        config=config, train=f'work_dirs/recipe/{task}/{"_".join(words)}',
        options={**options, 'train_cfg.max_iters': iterations,
                 'param_scheduler.1.end': iterations})


PROCESSES = {
    'noise as published': process(),
    'noise exact': process(loss=EXACT),
    'preconditioned': process(
        output=dict(type='irsde_mm.PreconditionedOutput'),
        loss=OUTPUT_L1),
    'x0': clean(),
    'x0 late': clean(times='late'),
    'x0 lam 10': clean(lam=10),
    'x0 lam 30': clean(lam=30),
    'x0 L2': clean(OUTPUT_L2),
    'x0 L1 + VGG': clean(VGG),
}
REGRESSIONS = {
    'regression': L1, 'regression L2': L2, 'regression L1 + VGG': VGG}
# the network of denoising sees only the state, not the degraded image
DENOISING = {
    'noise as published, lam 70': process(70),
    'noise exact, lam 70': process(70, loss=EXACT),
    'noise exact, lam 26': process(26, loss=EXACT),
    'noise, L1 of x0, lam 70': process(70, loss=L1),
    'noise, L1 of x0, lam 26': process(26, loss=L1),
    'noise, L1 + VGG of x0, lam 26': process(26, loss=VGG),
}
tasks = {
    task: dict(
        data=dict(config=f'bsds/{task}', images=25,
                  metrics=['PSNR', 'LPIPS']),
        models=runs(task, PROCESSES if task != 'denoise' else DENOISING,
                    REGRESSIONS))
    for task in ('derain', 'sr', 'dehaze', 'denoise')}
del (iterations, L1, L2, OUTPUT_L1, OUTPUT_L2, VGG, PUBLISHED, EXACT,
     NOISE, CLEAN, SAMPLERS, process, clean, runs,
     entry, PROCESSES, REGRESSIONS, DENOISING)
