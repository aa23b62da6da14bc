"""What is there: the remote, as far as it was looked at. Changes nothing."""
