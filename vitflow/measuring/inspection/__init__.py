"""What a trained model does with images, beside its scores: the figures that explanations rest on."""
