/**
 * Preloaded into every process of a local Lambda function: answers `require('./rapid-client.node')` of aws-lambda-ric,
 * whose native addon is not built where install scripts are off, with a client of the Runtime API made of node:http.
 * What the calls mean is aws-lambda-ric's business on this side and runtime-api.ts's on the other.
 *
 * CommonJS and untyped on purpose: stripping types costs a process some 10 MB and milliseconds that Lambda does not
 * have, and an ESM `import` of node:http would load undici into the function's process.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and src/native/rapid-client.cc of the package.
 */
'use strict';
const { Agent, request } = require('node:http');
const { registerHooks } = require('node:module');
const { Writable } = require('node:stream');

const BASE_PATH = '/2018-06-01/runtime/invocation';

// The addon connects by itself; an agent of our own keeps the function's global agent untouched.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? '').split(':');

/** How often the next event was asked for; the host waits for the mark of the same number in both streams. */
let asked = 0;
/** The addon posts a reply before it returns; here the next event is only asked for when the reply has been taken. */
let posted = Promise.resolve();

function exchange(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, headers, agent }, (incoming) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', () => resolve({ headers: incoming.headers, body: Buffer.concat(chunks).toString() }));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function post(path, body, headers) {
  const bytes = Buffer.from(body);
  posted = exchange(
    'POST',
    path,
    { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
    bytes,
  );
  // `next` reports the failure; without a handler it would count as unhandled until then.
  posted.catch((error) => error);
}

/** By the prototype, since a function under test may have replaced `process.stdout.write`. */
function mark(stream, number) {
  return new Promise((resolve) => {
    Writable.prototype.write.call(stream, `\u0000next ${number}\u0000`, resolve);
  });
}

const client = {
  async next() {
    await posted;
    asked += 1;
    await Promise.all([mark(process.stdout, asked), mark(process.stderr, asked)]);
    const { headers, body } = await exchange('GET', `${BASE_PATH}/next`, {});
    return { bodyJson: body, headers };
  },
  done(id, body) {
    post(`${BASE_PATH}/${id}/response`, body, {});
  },
  error(id, body, xrayCause) {
    const headers = { 'lambda-runtime-function-error-type': JSON.parse(body).errorType ?? 'Error' };
    // Node refuses what is no Latin-1 in a header; the cause is for X-Ray alone.
    if (/^[\x20-\x7e]*$/.test(xrayCause)) headers['lambda-runtime-function-xray-error-cause'] = xrayCause;
    post(`${BASE_PATH}/${id}/error`, body, headers);
  },
};

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== './rapid-client.node') return nextResolve(specifier, context);
    return { url: `file://${__filename}`, format: 'commonjs', shortCircuit: true };
  },
});

module.exports = client;
