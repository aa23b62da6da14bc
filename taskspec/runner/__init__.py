"""The stories: validate, plan, apply, stop, status …: the rooms in their order. Parses no argument, prints nothing."""
