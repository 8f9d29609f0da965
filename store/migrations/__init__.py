"""Migrations, oldest first; each works with the previous release. No table is made elsewhere."""
