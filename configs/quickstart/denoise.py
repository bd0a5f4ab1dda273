# Denoising (sigma 25) with a small network on built-in photos: nothing to
# download, minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(conditional=False),
    sde=dict(
        _delete_=True, type='irsde_mm.DenoisingSDE', max_sigma=70 / 255),
    sampler=dict(_delete_=True, type='irsde_mm.ProbabilityFlowSampler'),
    test_cfg=dict(sigma='estimate'))
