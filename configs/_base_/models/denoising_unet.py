# Denoising-SDE (Luo et al., ICML 2023, section 5.4): the noisy photo is itself
# a state of the process, at the time t* of its noise level, which is estimated
# if the data does not give it. The network gets no condition. The probability
# flow, without fresh noise, scores best.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(conditional=False),
    sde=dict(
        _delete_=True, type='irsde_mm.DenoisingSDE', max_sigma=70 / 255,
        num_steps=100, schedule='cosine', eps=0.04),
    sampler=dict(_delete_=True, type='irsde_mm.ProbabilityFlowSampler'),
    test_cfg=dict(sigma='estimate'))
