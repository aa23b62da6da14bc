"""PLAN → OUTCOMES: carries a plan out, and records each effect before and after it. Decides no change."""
