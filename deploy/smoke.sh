#!/usr/bin/env bash
# Asks a Sidelight whether it does its work: before traffic is let to it, and after each rollout.
#
#   deploy/smoke.sh http://127.0.0.1:8080 http://127.0.0.1:8081 [PATH]
#
# PATH (/ by default) is asked for by GET through the proxy; any answer below 500 is good.
# With SIDELIGHT_ADMIN__TOKEN set, the story of that request is looked up too.
# Needs curl. Exit code 0: all is well; 1: the line that says "no" tells what is not.
set -euo pipefail

traffic=${1:?usage: smoke.sh TRAFFIC_URL ADMIN_URL [PATH]}
admin=${2:?usage: smoke.sh TRAFFIC_URL ADMIN_URL [PATH]}
path=${3:-/}
id="smoke-$$-$(date +%s)"
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT

say() { printf '%-4s %s\n' "$1" "$2"; }
refuse() { say no "$1"; sed 's/^/     /' "$reply"; exit 1; }
# The status; the body, or with -D the head, is in $reply. 000: nobody answered.
ask() { curl --silent --show-error --max-time 30 --output "$reply" --write-out '%{http_code}' "$@" 2>&1 || true; }

for probe in livez readyz; do
	[ "$(ask "$admin/$probe")" = 200 ] || refuse "/$probe is not 200"
	say ok "/$probe"
done

status=$(ask --dump-header "$reply.head" --header "X-Request-ID: $id" "$traffic$path")
trap 'rm -f "$reply" "$reply.head"' EXIT
[[ "$status" =~ ^[1-4][0-9][0-9]$ ]] || refuse "GET $path through the proxy: $status"
say ok "GET $path through the proxy: $status"
grep -qi "^x-request-id: $id" "$reply.head" || refuse "the answer does not carry the Reference ID"
say ok "the answer carries the Reference ID $id"

[ "$(ask "$admin/health")" = 200 ] || refuse "/health is degraded"
say ok "/health"
ask "$admin/metrics" >/dev/null
grep -q '^sidelight_build_info{' "$reply" || refuse "/metrics has no sidelight_build_info"
say ok "/metrics: $(grep -o 'version="[^"]*"' "$reply" | head -1)"

if [ -n "${SIDELIGHT_ADMIN__TOKEN:-}" ]; then
	status=$(ask --header "Authorization: Bearer $SIDELIGHT_ADMIN__TOKEN" "$admin/api/requests/$id")
	[ "$status" = 200 ] || refuse "the story of $id: $status"
	say ok "the story of $id"
fi
