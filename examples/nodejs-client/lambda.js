// A client of the Lambda API over fetch, and of the two calls of IAM that a function needs before it exists.
'use strict';

const { Signer } = require('./signer.js');

class ApiError extends Error {
  constructor(status, code, message) {
    super(`${code} (${status}): ${message}`);
    Object.assign(this, { status, code });
  }
}

class LambdaClient {
  // endpoint: "http://127.0.0.1:4566"
  constructor(endpoint, credentials, region) {
    this.endpoint = endpoint;
    this.lambda = new Signer(credentials, region, 'lambda');
    this.iam = new Signer(credentials, region, 'iam');
  }

  // The answer to one signed request, unread. `path` begins with the API's date.
  async send(method, path, { query = {}, headers = {}, body = '' } = {}) {
    const url = new URL(path, this.endpoint);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.append(name, value);
    const typed = body === '' ? headers : { 'Content-Type': 'application/json', ...headers };
    const signed = this.lambda.sign(method, url, typed, body);
    const answer = await fetch(url, { method, headers: signed, body: body === '' ? undefined : body });
    if (answer.ok) return answer;
    const text = await answer.text();
    let error = {};
    try { error = JSON.parse(text); } catch { /* what is not JSON is shown as it is */ }
    const code = (answer.headers.get('x-amzn-errortype') ?? 'UnknownError').split(':')[0];
    throw new ApiError(answer.status, code, error.message ?? error.Message ?? text);
  }

  async json(method, path, input, query) {
    const answer = await this.send(method, path, { query, body: input === undefined ? '' : JSON.stringify(input) });
    const text = await answer.text();
    return text === '' ? {} : JSON.parse(text);
  }

  // Functions
  listFunctions() { return this.json('GET', '/2015-03-31/functions'); }
  getFunction(name) { return this.json('GET', `/2015-03-31/functions/${name}`); }
  createFunction(settings) { return this.json('POST', '/2015-03-31/functions', settings); }
  updateFunctionCode(name, code) { return this.json('PUT', `/2015-03-31/functions/${name}/code`, code); }
  updateFunctionConfiguration(name, settings) {
    return this.json('PUT', `/2015-03-31/functions/${name}/configuration`, settings);
  }
  deleteFunction(name, qualifier) {
    return this.json('DELETE', `/2015-03-31/functions/${name}`, undefined, { Qualifier: qualifier });
  }

  // Invocations. The answer's body is the function's own answer, not a document about it; the rest is in headers.
  async invoke(name, payload, { qualifier, type = 'RequestResponse', log = 'None' } = {}) {
    const answer = await this.send('POST', `/2015-03-31/functions/${name}/invocations`, {
      query: { Qualifier: qualifier },
      headers: { 'X-Amz-Invocation-Type': type, 'X-Amz-Log-Type': log },
      body: JSON.stringify(payload),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      version: answer.headers.get('x-amz-executed-version'),
      error: answer.headers.get('x-amz-function-error'),
      log: Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString(),
      result: text === '' ? undefined : JSON.parse(text),
    };
  }

  // Versions and aliases
  publishVersion(name, description) {
    return this.json('POST', `/2015-03-31/functions/${name}/versions`, description ? { Description: description } : {});
  }
  createAlias(name, alias, version, description = '') {
    return this.json('POST', `/2015-03-31/functions/${name}/aliases`,
                     { Name: alias, FunctionVersion: version, Description: description });
  }
  // weights: {"6": 0.1}, or {} for the alias's own version alone
  updateAliasRouting(name, alias, weights, version) {
    return this.json('PUT', `/2015-03-31/functions/${name}/aliases/${alias}`,
                     { FunctionVersion: version, RoutingConfig: { AdditionalVersionWeights: weights } });
  }

  // Layers, event sources, concurrency. Publishing a layer is a POST to /layers/NAME/versions; older clients send the name in
  // the body, to /layers, which is understood too.
  publishLayer(name, settings) { return this.json('POST', `/2018-10-31/layers/${name}/versions`, settings); }
  publishLayerAsOlderClients(settings) { return this.json('POST', '/2015-03-31/layers', settings); }
  deleteLayer(name, version) { return this.json('DELETE', `/2018-10-31/layers/${name}/versions/${version}`); }
  createEventSourceMapping(settings) { return this.json('POST', '/2015-03-31/event-source-mappings', settings); }
  deleteEventSourceMapping(uuid) { return this.json('DELETE', `/2015-03-31/event-source-mappings/${uuid}`); }
  // This operation came two years later than the first ones: any date is understood.
  putFunctionConcurrency(name, reserved) {
    return this.json('PUT', `/2015-03-31/functions/${name}/concurrency`, { ReservedConcurrentExecutions: reserved });
  }

  // Until the function has done what was asked of it: a new one is Pending, a changed one InProgress.
  async settled(name) {
    for (let tries = 0; tries < 100; tries++) {
      const { Configuration } = await this.getFunction(name);
      if (Configuration.State === 'Active' && Configuration.LastUpdateStatus === 'Successful') return Configuration;
      if (Configuration.State === 'Failed') throw new Error(Configuration.StateReason);
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`${name} is not ready`);
  }

  // IAM speaks forms and XML.
  async iamCall(parameters) {
    const url = new URL('/', this.endpoint);
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
    const headers = this.iam.sign('POST', url, { 'Content-Type': 'application/x-www-form-urlencoded' }, body);
    const answer = await fetch(url, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.ok) return text;
    throw new ApiError(answer.status, /<Code>([^<]*)/.exec(text)?.[1] ?? 'UnknownError', /<Message>([^<]*)/.exec(text)?.[1] ?? text);
  }

  // The ARN of a role that Lambda may assume, made unless it is there.
  async ensureRole(name) {
    const trust = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    const arn = (text) => /<Arn>([^<]*)/.exec(text)[1];
    try {
      return arn(await this.iamCall({ Action: 'CreateRole', RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    } catch (error) {
      if (error.code !== 'EntityAlreadyExists') throw error;
      return arn(await this.iamCall({ Action: 'GetRole', RoleName: name }));
    }
  }
}

module.exports = { ApiError, LambdaClient };
