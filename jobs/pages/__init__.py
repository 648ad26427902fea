"""Pages for people, one module each. Others take the parts of a page: night_page for the report."""
