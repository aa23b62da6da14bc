"""The Tasks library: the classes that `taskspec` exports. Holds no rule of the wire that another caller needs too."""
