"""Above the engine: the command line and the demo."""
