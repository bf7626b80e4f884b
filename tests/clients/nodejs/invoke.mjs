// Invocations with @aws-sdk/client-lambda v3, run by tests/blackbox/test_nodejs_client.py.
// argv: a JSON list of [function name, event]. Prints what it saw of each, the raw headers among it, as one JSON list.
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

const client = new LambdaClient({ maxAttempts: 1 });
let headers;
client.middlewareStack.add((next) => async (args) => {
  const result = await next(args);
  headers = result.response.headers;
  return result;
}, { step: "deserialize", priority: "low" });

const seen = [];
for (const [FunctionName, event] of JSON.parse(process.argv[2])) {
  const answer = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  seen.push({
    status: answer.StatusCode, error: answer.FunctionError ?? null, version: answer.ExecutedVersion,
    payload: JSON.parse(Buffer.from(answer.Payload).toString()), request_id: answer.$metadata.requestId, headers,
  });
}
console.log(JSON.stringify(seen));
