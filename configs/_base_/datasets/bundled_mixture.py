# Rain, haze, blur, noise, JPEG and mixtures. A third of the rain and half of the
# haze and blur are those of the other bases, the rest is wider. The region is
# almost a whole photo, over which the depth of haze varies. Tests on rain in
# haze and on noise after blur.
_base_ = ['./builtin_photos.py', './bsds500.py', './bundled_photos.py']
patch_size, region = 240, 320
rain = dict(
    type='irsde_mm.RainStreaks', angle=(-45, 45), length=(8, 40),
    density=(0.0005, 0.004), brightness=(40, 100), layers=(1, 3),
    width=(0.4, 1.0), spread=(0, 20), opacity=(0, 0.3), veil=(0, 0.1))
wide_rain = dict(
    type='irsde_mm.RainStreaks', angle=(-60, 60), length=(6, 60),
    density=(0.0005, 0.01), brightness=(30, 150), layers=(1, 4),
    width=(0.4, 1.6), spread=(0, 25), opacity=(0, 0.5), veil=(0, 0.3))
haze = dict(type='irsde_mm.Haze', tint=(0.9, 1), uneven=(0, 0.4))
wide_haze = dict(
    type='irsde_mm.Haze', beta=(0.3, 2.2), airlight=(0.55, 1), tint=(0.8, 1),
    uneven=(0, 0.6))
blur = dict(type='irsde_mm.MotionBlur', length=(12, 16), inertia=0.)
wide_blur = dict(
    type='irsde_mm.MotionBlur', length=(3, 21), gamma=(1, 2.2),
    kind=['shake', 'frames', 'motion', 'defocus'])
noise = dict(type='irsde_mm.GaussianNoise', sigma=25 / 255)
wide_noise = dict(type='irsde_mm.GaussianNoise', sigma=(0, 50 / 255))
jpeg = dict(type='irsde_mm.JPEG')
any_rain = dict(type='irsde_mm.RandomDegradation', choices=[
    [rain], [wide_rain], [dict(type='irsde_mm.RainStreaks')]])
any_haze = dict(
    type='irsde_mm.RandomDegradation', choices=[[haze], [wide_haze]])
any_blur = dict(
    type='irsde_mm.RandomDegradation', choices=[[blur], [wide_blur]])
any_noise = dict(type='irsde_mm.RandomDegradation', choices=[
    [wide_noise], [dict(wide_noise, clip=True)],
    [dict(type='irsde_mm.PoissonNoise', clip=True)]])
degradation = [
    dict(type='irsde_mm.RandomDegradation',
         prob=[0.1, 0.05, 0.26, 0.1, 0.18, 0.15, 0.08, 0.08],
         choices=[
             [], [jpeg], [any_rain], [any_haze], [any_blur], [any_noise],
             [any_haze, any_rain], [any_blur, any_noise]]),
    dict(type='irsde_mm.RandomDegradation', prob=[0.9, 0.1],
         choices=[[], [jpeg]])]

train_dataloader = dict(batch_size=2, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips, *degradation,
        dict(type='PairedRandomCrop', gt_patch_size=patch_size),
        dict(type='PackInputs'),
    ]))
mixtures = dict(rain_in_haze=[haze, rain], noise_after_blur=[blur, noise])
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(
        **_base_.bsds500.test, pipeline=[
            _base_.load, *(dict(step, fixed=True) for step in steps),
            dict(type='PackInputs')]))
    for steps in mixtures.values()]
val_dataloader = dict(test_dataloader[0], _delete_=True)
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in
        _base_.scores + _base_.perceptual + _base_.more_scores])
    for name in mixtures]
