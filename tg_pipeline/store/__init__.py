"""PostgreSQL: tables and migrations, the merge of sightings, and the server itself."""
