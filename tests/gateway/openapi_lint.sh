#!/usr/bin/env bash
# Lints an OpenAPI document with Redocly's recommended rules: `openapi_lint.sh <openapi.json>`. Needs Node and its package registry.
set -euo pipefail
document=${1:?usage: openapi_lint.sh <openapi.json>}
exec npx -y @redocly/cli@2 lint --extends=recommended --format=stylish "$document"
