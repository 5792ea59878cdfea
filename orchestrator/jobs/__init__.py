"""What is done behind the calls, by processes of its own: docs/jobs.md."""
