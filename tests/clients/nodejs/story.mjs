// A function's life with @aws-sdk/client-lambda v3, run by tests/blackbox/test_nodejs_client.py.
// argv: role ARN, directory with one.zip and two.zip, runtime, handler, name. Prints what it saw as one JSON object.
import fs from "node:fs";
import {
  CreateFunctionCommand, DeleteFunctionCommand, GetFunctionCommand, InvokeCommand, LambdaClient, paginateListFunctions,
  UpdateFunctionCodeCommand, UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";

const [roleArn, directory, runtime, handler, name] = process.argv.slice(2);
const client = new LambdaClient({ maxAttempts: 1 });
const FunctionName = name;
const waiter = { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };
const zip = (file) => fs.readFileSync(`${directory}/${file}.zip`);
const seen = {};

const invoke = async (event) => {
  const answer = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), LogType: "Tail" }));
  return {
    status: answer.StatusCode, error: answer.FunctionError ?? null, version: answer.ExecutedVersion,
    payload: JSON.parse(Buffer.from(answer.Payload).toString()), log: Buffer.from(answer.LogResult, "base64").toString(),
  };
};

const created = await client.send(new CreateFunctionCommand({
  FunctionName, Runtime: runtime, Handler: handler, Role: roleArn, Code: { ZipFile: zip("one") } }));
seen.created = created.State;
await waitUntilFunctionActiveV2(waiter, { FunctionName });
seen.arn = (await client.send(new GetFunctionCommand({ FunctionName }))).Configuration.FunctionArn;
seen.listed = [];
for await (const page of paginateListFunctions({ client, pageSize: 1 }, {}))
  seen.listed.push(...page.Functions.map((each) => each.FunctionName));
seen.first = await invoke({ name: "sdk" });
await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip("two") }));
await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
seen.second = await invoke({ name: "sdk" });
seen.thrown = await invoke({ throw: true });
const configured = await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 5, MemorySize: 192 }));
seen.configured = [configured.Timeout, configured.MemorySize];
await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
await client.send(new DeleteFunctionCommand({ FunctionName }));
try {
  await client.send(new GetFunctionCommand({ FunctionName }));
} catch (error) {
  seen.gone = [error.name, error.$metadata.httpStatusCode, error.message];
}
const stranger = new LambdaClient({ maxAttempts: 1, credentials: {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "x".repeat(40) } });
try {
  await stranger.send(new GetFunctionCommand({ FunctionName }));
} catch (error) {
  seen.refused = [error.name, error.$metadata.httpStatusCode];
}
console.log(JSON.stringify(seen));
