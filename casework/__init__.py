"""The domain: people, requests, triage, routing. It knows nothing of the web."""
