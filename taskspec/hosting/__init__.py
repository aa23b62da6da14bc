"""The platform that hosts the code: its pull requests and their comments. Knows no task."""
