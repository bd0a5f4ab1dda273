# DeepFillv2 with a third of the channels, 0.46 million parameters. Its largest
# dilation, 16 at a quarter of the size, cannot use reflection padding on
# patches of 64, so it uses zero padding.
_base_ = './deepfillv2.py'
model = dict(
    encdec=dict(
        stage1=dict(
            encoder=dict(channel_factor=0.25),
            decoder=dict(in_channels=32, channel_factor=0.25),
            dilation_neck=dict(in_channels=32, padding_mode='zeros')),
        stage2=dict(
            encoder_attention=dict(channel_factor=0.25),
            encoder_conv=dict(channel_factor=0.25),
            dilation_neck=dict(in_channels=32, padding_mode='zeros'),
            contextual_attention=dict(in_channels=32),
            decoder=dict(in_channels=64, channel_factor=0.25))),
    disc=dict(max_channels=64))
