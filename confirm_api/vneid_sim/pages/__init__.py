"""The citizen's app: pages without JavaScript."""
