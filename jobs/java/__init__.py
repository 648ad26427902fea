"""What runs need of Java: Delta's jars, an archive of classes, quick ways to functions."""
