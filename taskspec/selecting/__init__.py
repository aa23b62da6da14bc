"""Selectors: words that name tasks → addresses. Reads no file, asks no remote, and decides nothing about a task."""
