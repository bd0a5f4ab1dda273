# Denoising-SDE (Luo et al., ICML 2023, section 5.4): the noisy photo is a
# state of the process itself, entered at the time t* of its noise level, which
# is estimated where the data does not say it. The network sees no condition;
# the flow without fresh noise scores best.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(conditional=False),
    sde=dict(
        _delete_=True, type='irsde_mm.DenoisingSDE', max_sigma=70 / 255,
        num_steps=100, schedule='cosine', eps=0.04),
    sampler=dict(_delete_=True, type='irsde_mm.ProbabilityFlowSampler'),
    test_cfg=dict(sigma='estimate'))
