"""Metrics: functions of images, latents and features, each of which returns plain numbers."""
