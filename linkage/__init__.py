"""The engine: register files in, decided links out. Read `linkage.pipeline` first."""
