#!/bin/sh
# Runs once, when the volume is new: a database and a role for each service, which may use nothing else.
# <NAME>_DB_PASSWORD comes from the environment; passwords are made of letters and digits.
set -eu
for name in customer kyc account payment consent audit webhooks portal kong; do
  upper=$(echo "$name" | tr '[:lower:]' '[:upper:]')
  eval "password=\${${upper}_DB_PASSWORD:?}"
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet <<SQL
CREATE ROLE kontor_$name LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '$password';
CREATE DATABASE kontor_$name OWNER kontor_$name;
REVOKE ALL ON DATABASE kontor_$name FROM PUBLIC;
SQL
done
