-- Run once, by PostgreSQL's image, when its volume is empty: the role that everything of ours
-- works as, and its two databases. Whatever characters the password holds, psql quotes it.
\getenv password POSTGRES_PASSWORD
CREATE ROLE tg_pipeline LOGIN CREATEROLE NOSUPERUSER PASSWORD :'password';
CREATE DATABASE tg_pipeline OWNER tg_pipeline;
CREATE DATABASE dagster OWNER tg_pipeline;
-- CREATEROLE makes the role that `tg-pipeline sql` reads as. The superuser can be reached from
-- inside the container only: docker compose exec postgres psql -U postgres
ALTER ROLE postgres PASSWORD NULL;
