"""What things are: contracts of tables, shapes of configuration, and their renderings."""
