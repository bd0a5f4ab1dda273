# As sr3_unet.py, with the network and the number of steps of the quickstart.
_base_ = './sr3_unet.py'
model = dict(
    generator=dict(
        _delete_=True, type='irsde_mm.ConditionalNAFNet', width=16,
        enc_blocks=[1, 1, 2], middle_blocks=1, dec_blocks=[1, 1, 1],
        pad_mode='reflect'),
    sampler=dict(num_steps=20))
