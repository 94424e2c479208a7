"""Pictures: pixels, colors, EXIF, JPEG segments and XMP."""
