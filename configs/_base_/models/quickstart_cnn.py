# As cnn_unet.py, with the network of the quickstart.
_base_ = './cnn_unet.py'
model = dict(generator=dict(network=dict(
    _delete_=True, type='irsde_mm.ConditionalNAFNet', width=16,
    enc_blocks=[1, 1, 2], middle_blocks=1, dec_blocks=[1, 1, 1],
    pad_mode='reflect')))
