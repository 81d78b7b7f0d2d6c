"""The trained model: estimation, scoring, the model file, the one door to Splink."""
