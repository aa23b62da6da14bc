"""What a run gave, against what was asked for. Opens nothing."""
