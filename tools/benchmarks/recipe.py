"""The study of docs/recipe.md, a suite of benchmark.py quality.

It compares what the network predicts, lam, the distance and the training
times, with equal budgets and with regression by the same distance. Missing
models are trained in work_dirs/recipe: 2 to 6 minutes each on a loaded core,
about 12 with VGG features.
"""


def study(iterations: int) -> dict:
    l1, l2 = dict(type='mmagic.L1Loss'), dict(type='mmagic.MSELoss')
    vgg = dict(type='irsde_mm.SumLoss', losses=[
        l1, dict(type='irsde_mm.PerceptualLoss', loss_weight=0.01)])
    published = dict(type='irsde_mm.MaximumLikelihoodLoss')
    exact = dict(published, exact=True)
    noise = dict(type='irsde_mm.NoiseOutput')
    preconditioned = dict(type='irsde_mm.PreconditionedOutput')
    clean = dict(type='irsde_mm.CleanOutput', residual=True)

    def output_loss(distance=l1):
        return dict(type='irsde_mm.OutputLoss', distance=distance)

    def process(lam, output, loss, times='discrete'):
        return {
            'model.sde.max_sigma': lam / 255, 'model.timesteps': times,
            'model.output': dict(output, _delete_=True),
            'model.pixel_loss': dict(loss, _delete_=True)}

    def entry(task, label, config, options):
        words = ''.join(c if c.isalnum() else ' ' for c in label).split()
        return dict(
            config=config, train=f'work_dirs/recipe/{task}/{"_".join(words)}',
            options={**options, 'train_cfg.max_iters': iterations,
                     'param_scheduler.1.end': iterations})

    def models(task, processes, regressions, base=None):
        found = {}
        for label, options in processes.items():
            for n, eta in ((1, 0.), (2, 0.7), (3, 1.), (5, 0.7)):
                found[f'{label}, {n} call{"s" * (n > 1)}'] = dict(
                    entry(task, label, base or f'bsds/{task}', options),
                    sampler=dict(type='irsde_mm.JumpSampler', num_steps=n,
                                 eta=eta))
        for label, loss in regressions.items():
            found[label] = entry(task, label, f'bsds/{task}_cnn', {
                'model.pixel_loss': dict(loss, _delete_=True)})
        return dict(
            data=dict(config=f'bsds/{task}', images=15,
                      metrics=['PSNR', 'LPIPS']), models=found)

    few = {
        'noise as published': process(50, noise, published),
        'x0': process(50, clean, output_loss()),
        'x0 late': process(50, clean, output_loss(), 'late')}
    many = {
        **few,
        'noise exact': process(50, noise, exact),
        'preconditioned': process(50, preconditioned, output_loss()),
        'x0 lam 10': process(10, clean, output_loss()),
        'x0 lam 30': process(30, clean, output_loss()),
        'x0 L2': process(50, clean, output_loss(l2)),
        'x0 L1 + VGG': process(50, clean, vgg)}
    # the network of the first ones sees only the state, as published
    denoising = {
        'noise as published, lam 70': process(70, noise, published),
        'noise exact, lam 70': process(70, noise, exact),
        'noise exact, lam 26': process(26, noise, exact),
        'noise, L1 of x0, lam 26': process(26, noise, l1),
        'noise, L1 + VGG of x0, lam 26': process(26, noise, vgg),
        # a process that ends in the noisy image, which the network sees
        'IR-SDE, x0 late': {
            **process(50, clean, output_loss(), 'late'),
            'model.sde': dict(type='irsde_mm.IRSDE', max_sigma=50 / 255,
                              _delete_=True),
            'model.generator.conditional': True}}
    by_l1 = {'regression': l1}
    by_all = {**by_l1, 'regression L2': l2, 'regression L1 + VGG': vgg}
    return dict(
        derain=models('derain', many, by_all), sr=models('sr', many, by_all),
        dehaze=models('dehaze', few, by_l1),
        denoise=models('denoise', denoising, by_l1,
                       'bsds/denoise_published'))


name = 'recipe'
tasks = study(iterations=600)
