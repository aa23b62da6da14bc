"""The pipelines that `init --ci` writes, for GitHub Actions and GitLab CI."""
