# The bundled model for deraining, see docs/models.md.
_base_ = '../bsds/derain.py'
