"""The dashboard: pages rendered here, without a build step and without anything from outside."""
