# NAFNet on GoPro. Loads the weights of mmagic's
# nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_gopro; test them with
# --cfg-options "model.generator.train_size=(1,3,256,256)".
_base_ = [
    '../_base_/models/nafnet.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/nafnet_400k.py', '../_base_/default_runtime.py'
]
