"""The strict identity provider of npm, in a process of its own, and a browser that signs in there."""
