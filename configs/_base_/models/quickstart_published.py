# The network of quickstart_nafnet.py with the published output, objective and
# training times.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(
        _delete_=True, type='irsde_mm.ConditionalNAFNet', width=16,
        enc_blocks=[1, 1, 2], middle_blocks=1, dec_blocks=[1, 1, 1],
        pad_mode='reflect'),
    sde=dict(max_sigma=50 / 255), output=dict(type='irsde_mm.NoiseOutput'),
    sampler=dict(num_steps=20), timesteps='discrete')
