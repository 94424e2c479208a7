"""Dense prediction transformers (DPT), one file a backbone."""
