/** `node:https` and nothing else: a token that was there before, ten kept sockets, no log, no deadline, no retry. */
const https = process.getBuiltinModule('node:https');

const { ENDPOINT_URL, BENCH_TOKEN } = process.env;
const agent = new https.Agent({ keepAlive: true, maxSockets: 10, scheduling: 'lifo' });
const { hostname, port, pathname: path } = new URL(ENDPOINT_URL);

function forward({ messageId, body }) {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${BENCH_TOKEN}`,
      SAP_ApplicationID: messageId,
      'Content-Length': Buffer.byteLength(body),
    };
    const request = https.request({ hostname, port, path, method: 'POST', agent, headers }, (response) => {
      response.on('end', () => (response.statusCode < 300 ? resolve() : reject(new Error(`${response.statusCode}`))));
      response.on('error', reject);
      response.resume();
    });
    request.on('error', reject);
    request.end(body);
  });
}

export async function handler({ Records }) {
  await Promise.all(Records.map(forward));
  return { batchItemFailures: [] };
}
