# Denoising-SDE with the network of the quickstart; see denoising_unet.py.
_base_ = './quickstart_published.py'
model = dict(
    generator=dict(conditional=False),
    sde=dict(
        _delete_=True, type='irsde_mm.DenoisingSDE', max_sigma=70 / 255),
    sampler=dict(_delete_=True, type='irsde_mm.ProbabilityFlowSampler'),
    test_cfg=dict(sigma='estimate'))
