"""The one small language of conditions, in a sandbox. Knows no task, no plan and no clock."""
