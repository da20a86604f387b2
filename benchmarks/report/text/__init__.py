"""Findings, notes and the glossary: the sentences of a report."""
