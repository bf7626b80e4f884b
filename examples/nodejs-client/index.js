// A function's life over the plain API: deploy, configure, invoke in three ways, version, shift traffic, map, share code, remove.
//     AWS_ENDPOINT_URL=http://127.0.0.1:4566 node index.js
'use strict';

const { LambdaClient } = require('./lambda.js');
const { zip } = require('./zip.js');

const {
  AWS_ENDPOINT_URL = 'http://127.0.0.1:4566', AWS_REGION = process.env.AWS_DEFAULT_REGION ?? 'us-east-1',
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, FUNCTION_NAME = 'order-processor',
} = process.env;

const code = (version) => ({ 'index.js': `exports.handler = async (event) => {
  console.log('processing', event.orderId);
  return { orderId: event.orderId, version: ${JSON.stringify(version)}, stage: process.env.STAGE };
};
` });
const base64 = (files) => zip(files).toString('base64');

async function main() {
  const lambda = new LambdaClient(
    AWS_ENDPOINT_URL, { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN },
    AWS_REGION);
  const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
  const name = FUNCTION_NAME;

  const role = await lambda.ensureRole('lambda-execution-role');
  const made = await lambda.createFunction({
    FunctionName: name, Runtime: 'nodejs22.x', Role: role, Handler: 'index.handler', Code: { ZipFile: base64(code('one')) },
    Description: 'processes orders', Timeout: 3, MemorySize: 128, Environment: { Variables: { STAGE: 'test' } },
    Tags: { team: 'orders' } });
  say('created', made.FunctionArn);
  await lambda.settled(name);
  say('listed', (await lambda.listFunctions()).Functions.some((each) => each.FunctionName === name));

  const order = { orderId: 'ORD-12345', items: [{ sku: 'PROD-001', quantity: 2 }] };
  const answered = await lambda.invoke(name, order, { log: 'Tail' });
  say('invoked', answered.result);
  say('its log tells', answered.log.includes('processing ORD-12345'));
  say('for later', (await lambda.invoke(name, order, { type: 'Event' })).status);
  say('as a rehearsal', (await lambda.invoke(name, order, { type: 'DryRun' })).status);

  await lambda.updateFunctionConfiguration(name, {
    Timeout: 10, MemorySize: 256, Environment: { Variables: { STAGE: 'live' } } });
  await lambda.settled(name);
  say('first version', (await lambda.publishVersion(name, 'as it was')).Version);
  const updated = await lambda.updateFunctionCode(name, { ZipFile: base64(code('two')), Publish: true });
  say('second version', updated.Version);
  await lambda.settled(name);

  await lambda.createAlias(name, 'prod', '1', 'what users get');
  say('prod is', (await lambda.invoke(name, order, { qualifier: 'prod' })).result);
  say('a canary', (await lambda.updateAliasRouting(name, 'prod', { 2: 0.1 }, '1')).RoutingConfig.AdditionalVersionWeights);
  await lambda.updateAliasRouting(name, 'prod', {}, '2');
  say('prod became', (await lambda.invoke(name, order, { qualifier: 'prod' })).result);

  await lambda.putFunctionConcurrency(name, 5);
  // A mapping is made disabled: this server does not poll sources yet.
  const account = made.FunctionArn.split(':')[4];
  const mapping = await lambda.createEventSourceMapping({
    FunctionName: name, EventSourceArn: `arn:aws:sqs:${AWS_REGION}:${account}:orders-queue`, BatchSize: 10, Enabled: false });
  say('mapped', mapping.State);

  const shared = { 'nodejs/node_modules/shared/index.js': "exports.tax = (net) => net * 1.2;\n" };
  const layer = await lambda.publishLayer(`${name}-shared`, {
    Description: 'code of many', CompatibleRuntimes: ['nodejs22.x'], Content: { ZipFile: base64(shared) } });
  await lambda.updateFunctionConfiguration(name, { Layers: [layer.LayerVersionArn] });
  await lambda.settled(name);
  await lambda.updateFunctionCode(name, { ZipFile: base64({
    'index.js': "exports.handler = async (event) => require('shared').tax(event.net);\n" }) });
  await lambda.settled(name);
  say('with the layer', (await lambda.invoke(name, { net: 100 })).result);
  const older = await lambda.publishLayerAsOlderClients({ LayerName: `${name}-shared`, Content: { ZipFile: base64(shared) } });
  say('layer published as older clients do', older.Version);

  await lambda.deleteEventSourceMapping(mapping.UUID);
  await lambda.deleteFunction(name);
  await lambda.deleteLayer(`${name}-shared`, layer.Version);
  await lambda.deleteLayer(`${name}-shared`, older.Version);
  say('gone', await lambda.getFunction(name).then(() => 'no', (error) => error.code));
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
