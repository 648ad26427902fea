"""Pages and pictures: pure HTML and SVG."""
