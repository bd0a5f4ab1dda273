# As denoise.py, with the network and optimizer of Refusion. lam stays, because
# it is the highest noise level here.
_base_ = [
    '../_base_/models/refusion_nafnet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/refusion_500k.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(conditional=False),
    sde=dict(
        _delete_=True, type='irsde_mm.DenoisingSDE', max_sigma=70 / 255,
        num_steps=100, schedule='cosine', eps=0.04),
    sampler=dict(_delete_=True, type='irsde_mm.ProbabilityFlowSampler'),
    test_cfg=dict(sigma='estimate'))
