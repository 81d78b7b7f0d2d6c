"""The circle over HTTP: ask citizens through the service, collect their answers, withdraw what is no longer wanted."""
