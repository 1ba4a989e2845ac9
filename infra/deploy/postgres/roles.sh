#!/bin/bash
# Runs once, on an empty volume. Who migrates owns the tables; the processes of orders may change rows alone, and what
# they may is granted by the migration. The engine has databases of its own.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner `cat /run/secrets/orders_owner_password`
\set orders `cat /run/secrets/orders_password`
\set temporal `cat /run/secrets/temporal_password`
CREATE ROLE orders_owner LOGIN PASSWORD :'owner';
CREATE ROLE orders LOGIN PASSWORD :'orders';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE orders OWNER orders_owner;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE orders, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE orders TO orders;
SQL
