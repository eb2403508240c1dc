#!/bin/sh
# The role and the grants of docs/store.md, and nothing more.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$SIDELIGHT_DB_PASSWORD" --username="${POSTGRES_USER:-postgres}" <<'SQL'
CREATE ROLE sidelight LOGIN PASSWORD :'password';
CREATE DATABASE sidelight;
REVOKE ALL ON DATABASE sidelight FROM PUBLIC;
GRANT CONNECT ON DATABASE sidelight TO sidelight;
\connect sidelight
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO sidelight;
SQL
