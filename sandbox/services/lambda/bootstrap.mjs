// The runtime of one function process: loads the handler as it was uploaded and talks to the Lambda runtime API.
import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const base = '/2018-06-01/runtime';

function call(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path: base + where, agent, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// As the real Node runtime: the error's name is its type.
function describe(error) {
  if (error instanceof Error) return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

const send = (where, error) => {
  const shape = describe(error);
  console.error(JSON.stringify({ ...shape, level: 'ERROR' }));
  return call('POST', where, JSON.stringify(shape), { 'content-type': 'application/json', 'lambda-runtime-function-error-type': shape.errorType });
};

function named(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

async function load() {
  const [file, ...names] = process.env['_HANDLER'].split('.');
  const root = path.resolve(process.env.LAMBDA_TASK_ROOT, file);
  const found = ['.js', '.mjs', '.cjs'].map((ending) => root + ending).find((one) => existsSync(one));
  if (found === undefined) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  let loaded;
  try {
    loaded = await import(pathToFileURL(found).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    if (error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND') throw named('Runtime.ImportModuleError', `Error: ${error.message}`);
    throw error;
  }
  const pick = (from) => names.reduce((value, name) => value?.[name], from);
  const handler = pick(loaded) ?? pick(loaded.default);
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${process.env['_HANDLER']} is undefined or not exported`);
  return handler;
}

// As the real runtime: here the SDK finds the trace of the invocation that a call belongs to, even when a later invocation has begun meanwhile.
const invocation = new AsyncLocalStorage();
const nothing = () => undefined;
globalThis.awslambda = {
  InvokeStore: {
    getXRayTraceId: () => invocation.getStore()?.trace, getRequestId: () => invocation.getStore()?.id ?? '-', hasContext: () => invocation.getStore() !== undefined,
    getTenantId: nothing, getTraceparent: nothing, getTracestate: nothing, getBaggage: nothing,
  },
};

async function serve(handler) {
  for (;;) {
    const { headers, body } = await call('GET', '/invocation/next');
    globalThis[Symbol.for('sandbox.tellTime')]?.(Number(headers['sandbox-now-ms']), headers['sandbox-time-held'] === 'true');
    const id = headers['lambda-runtime-aws-request-id'];
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const trace = headers['lambda-runtime-trace-id'] ?? '';
    process.env['_X_AMZN_TRACE_ID'] = trace;
    const context = {
      awsRequestId: id,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
      callbackWaitsForEmptyEventLoop: false,
      // The deadline is real time, as timers are; Date is not.
      getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.timeOrigin - performance.now())),
    };
    try {
      const result = await invocation.run({ id, trace }, () => handler(JSON.parse(body), context));
      await call('POST', `/invocation/${id}/response`, JSON.stringify(result) ?? 'null', { 'content-type': 'application/json' });
    } catch (error) {
      await send(`/invocation/${id}/error`, error);
    }
  }
}

let handler;
try {
  handler = await load();
} catch (error) {
  await send('/init/error', error);
  process.exit(1);
}
// The sandbox is gone when nobody answers: end quietly rather than linger.
await serve(handler).catch(() => process.exit(0));
