"""The API of the admin port: JSON for scripts, and for the dashboard's own buttons."""
