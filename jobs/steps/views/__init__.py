"""Steps that join deliveries into views: who owns which number, all contacts."""
