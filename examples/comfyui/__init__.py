"""ComfyUI nodes of depth3d. ComfyUI reads NODE_CLASS_MAPPINGS from each folder in its custom_nodes."""

from .nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
