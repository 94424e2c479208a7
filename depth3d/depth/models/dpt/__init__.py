"""Dense prediction transformers (DPT), one file per kind of backbone."""
