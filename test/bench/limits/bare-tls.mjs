/** A TLS socket and requests written by hand, ten at a time: what no HTTP client can go below. */
const tls = process.getBuiltinModule('node:tls');

const { ENDPOINT_URL, BENCH_TOKEN } = process.env;
const { hostname, port, pathname, host } = new URL(ENDPOINT_URL);
const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${BENCH_TOKEN}\r\n`;
const idle = [];
const waiting = [];
let open = 0;

function connect() {
  open += 1;
  const socket = tls.connect({ host: hostname, port: Number(port) });
  let current;
  let answer = '';
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    answer += chunk.latin1Slice();
    const headEnd = answer.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
    if (answer.length < headEnd + 4 + length) return;
    const done = current;
    const delivered = answer.startsWith('HTTP/1.1 2');
    answer = '';
    current = undefined;
    const next = waiting.shift();
    if (next === undefined) idle.push(use);
    else use(next);
    delivered ? done.resolve() : done.reject(new Error('not delivered'));
  });
  socket.on('error', (error) => current?.reject(error));
  function use(call) {
    current = call;
    const { messageId, body } = call.record;
    socket.write(`${head}SAP_ApplicationID: ${messageId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
  return use;
}

function forward(record) {
  return new Promise((resolve, reject) => {
    const call = { record, resolve, reject };
    const use = idle.pop();
    if (use !== undefined) use(call);
    else if (open < 10) connect()(call);
    else waiting.push(call);
  });
}

export async function handler({ Records }) {
  await Promise.all(Records.map(forward));
  return { batchItemFailures: [] };
}
