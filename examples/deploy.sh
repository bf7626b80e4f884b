#!/usr/bin/env bash
# Deploys the two example functions with the ordinary AWS CLI, invokes them and prints what they answer. Run it again and it
# updates them. The CLI finds the server by AWS_ENDPOINT_URL and AWS_ACCESS_KEY_ID/AWS_SECRET_ACCESS_KEY; $AWS names another CLI.
set -euo pipefail
cd "$(dirname "$0")"
AWS=${AWS:-aws}
: "${AWS_ENDPOINT_URL:?export it, for example http://127.0.0.1:4566}"
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} AWS_PAGER=''
role=lambent-examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ensure_role() {
  "$AWS" iam get-role --role-name "$role" --query Role.Arn --output text 2>/dev/null ||
    "$AWS" iam create-role --role-name "$role" --query Role.Arn --output text --assume-role-policy-document \
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
}

# deploy NAME RUNTIME HANDLER: creates the function from the directory NAME, or gives it the directory's present code.
deploy() {
  local name=$1 runtime=$2 handler=$3
  (cd "$name" && zip -qr "$work/$name.zip" .)
  if "$AWS" lambda get-function --function-name "$name" >/dev/null 2>&1; then
    "$AWS" lambda update-function-code --function-name "$name" --zip-file "fileb://$work/$name.zip" >/dev/null
    "$AWS" lambda wait function-updated-v2 --function-name "$name"
    echo "updated $name"
  else
    "$AWS" lambda create-function --function-name "$name" --runtime "$runtime" --handler "$handler" \
      --role "$role_arn" --zip-file "fileb://$work/$name.zip" >/dev/null
    "$AWS" lambda wait function-active-v2 --function-name "$name"
    echo "created $name ($runtime)"
  fi
}

invoke() {
  local name=$1 error
  printf '{"name": "Lambent"}' >"$work/event.json"
  error=$("$AWS" lambda invoke --function-name "$name" --payload "fileb://$work/event.json" "$work/answer.json" \
    --query FunctionError --output text)
  echo "$name answered: $(cat "$work/answer.json")"
  [ "$error" = None ]
}

role_arn=$(ensure_role)
"$AWS" iam attach-role-policy --role-name "$role" \
  --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
deploy hello-python python3.13 app.handler
deploy hello-nodejs nodejs22.x index.handler
invoke hello-python
invoke hello-nodejs
