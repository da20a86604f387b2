"""Datasets by name: uint8 images (or points) on the training device, with a content digest.

Not the Hugging Face package of the same name: this folder is used from the checkout and never
installed.
"""
