"""Run folders -> one DataFrame -> tables and figures; never imports torch."""
