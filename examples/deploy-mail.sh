#!/usr/bin/env bash
# Deploys mail-python with retries, a dead-letter queue and a failure destination, with the ordinary AWS CLI, and sends one mail
# that nobody waits for. MAIL_DEAD_LETTERS and MAIL_FAILURES are the ARNs of SQS queues; Lambent reaches them where it was told:
#     lambent serve --target-endpoint sqs=http://127.0.0.1:9324 ...
# MAIL_SERVER=HOST:PORT is the mail server; without it mails are written to the function's log.
set -euo pipefail
cd "$(dirname "$0")"
AWS=${AWS:-aws}
: "${AWS_ENDPOINT_URL:?export it, for example http://127.0.0.1:4566}"
: "${MAIL_DEAD_LETTERS:?the ARN of the queue for events that could not be mailed}"
: "${MAIL_FAILURES:?the ARN of the queue for the records of failures}"
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} AWS_PAGER=''
role=lambent-mail
name=mail-python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

role_arn=$("$AWS" iam create-role --role-name "$role" --query Role.Arn --output text --assume-role-policy-document \
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
"$AWS" iam put-role-policy --role-name "$role" --policy-name tell --policy-document \
  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sqs:SendMessage\",\"Resource\":[\"$MAIL_DEAD_LETTERS\",\"$MAIL_FAILURES\"]}]}"

(cd "$name" && zip -qr "$work/$name.zip" app.py)
"$AWS" lambda create-function --function-name "$name" --runtime python3.13 --handler app.handler --role "$role_arn" \
  --timeout 30 --zip-file "fileb://$work/$name.zip" --dead-letter-config "TargetArn=$MAIL_DEAD_LETTERS" \
  --environment "{\"Variables\":{\"MAIL_SERVER\":\"${MAIL_SERVER:-}\"}}" >/dev/null
"$AWS" lambda wait function-active-v2 --function-name "$name"
"$AWS" lambda put-function-event-invoke-config --function-name "$name" --maximum-retry-attempts 2 \
  --maximum-event-age-in-seconds 3600 --destination-config "{\"OnFailure\":{\"Destination\":\"$MAIL_FAILURES\"}}" >/dev/null

printf '{"to": "ann@example.com", "subject": "Hello", "text": "from Lambent"}' >"$work/event.json"
"$AWS" lambda invoke --function-name "$name" --invocation-type Event --payload "fileb://$work/event.json" \
  "$work/answer.json" --query StatusCode --output text
