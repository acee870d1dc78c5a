/**
 * One fresh process of a Lambda function: loads a bundle as Lambda's runtime does, hands it SQS batches as the plan says,
 * and writes to descriptor 3 what each step took. It measures itself with `process.cpuUsage`, all threads of the process.
 *
 * Node's modules come by `process.getBuiltinModule`, as the runtime client has them by `require`: an `import` of
 * `node:http` here would load undici and hide what the bundles pay for it.
 */
const { pathToFileURL } = process.getBuiltinModule('node:url');
const { writeSync } = process.getBuiltinModule('node:fs');
// What Lambda's runtime client has loaded before the function.
for (const name of ['http', 'net', 'path', 'util', 'assert']) process.getBuiltinModule(`node:${name}`);

const { bundle, steps, trace = false, simulatedClock = false } = JSON.parse(process.env.BENCH_PLAN);
const ACCOUNT = 'arn:aws:sqs:eu-central-1:123456789012';
let sequence = 0;

function record(queue, bytes, payload) {
  sequence += 1;
  const id = `059f36b4-87a3-44ab-83d2-${String(sequence).padStart(12, '0')}`;
  return {
    messageId: id,
    receiptHandle: `AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a${sequence}`,
    body: payload === undefined ? text(bytes) : payload.body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now() - 50),
      SenderId: 'AIDAIENQZJOLO23YVJ4VO',
      ApproximateFirstReceiveTimestamp: String(Date.now() - 5),
    },
    messageAttributes: payload === undefined ? {} : payload.attributes,
    md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
    eventSource: 'aws:sqs',
    eventSourceARN: `${ACCOUNT}:${queue}`,
    awsRegion: 'eu-central-1',
  };
}

const texts = new Map();
function text(bytes) {
  if (!texts.has(bytes)) {
    const item = '{"material":"MZ-FG-R100","quantity":12,"unit":"PC","plant":"1710"},';
    texts.set(bytes, `{"order":"4711","items":[${item.repeat(Math.ceil(bytes / item.length))}`.slice(0, bytes));
  }
  return texts.get(bytes);
}

const batch = (count, { queue = 'orders', bytes = 2048, payload } = {}) => ({
  Records: Array.from({ length: count }, () => record(queue, bytes, payload)),
});

const context = () => {
  const endsAt = performance.now() + 300_000;
  return {
    awsRequestId: `8f507cfc-xmpl-4697-b07a-${String(sequence).padStart(12, '0')}`,
    functionName: 'bench',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:bench',
    memoryLimitInMB: '1024',
    logGroupName: '/aws/lambda/bench',
    logStreamName: 'bench',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - performance.now()),
  };
};

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const systemMs = () => process.cpuUsage().system / 1000;
const rssMb = () => process.memoryUsage.rss() / 1e6;

let handler;
/** @returns how many records were not delivered */
async function invoke(event) {
  try {
    return (await handler(event, context()))?.batchItemFailures?.length ?? 0;
  } catch (error) {
    if (process.env.BENCH_DEBUG) console.error(error);
    return event.Records.length;
  }
}

let shiftMs = 0;
function shiftClock() {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...values) {
      if (values.length === 0) super(Real.now() + shiftMs);
      else super(...values);
    }
    static now() {
      return Real.now() + shiftMs;
    }
  };
}

const http = process.getBuiltinModule('node:http');
function control(path) {
  return new Promise((resolve, reject) => {
    const request = http.request(process.env.BENCH_CONTROL + path, { method: 'POST' }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(JSON.parse(body)));
    });
    request.on('error', reject);
    request.end();
  });
}

const kinds = {
  /** One invocation. */
  async invoke({ records, ...how }) {
    const event = batch(records, how);
    const before = { cpu: cpuMs(), wall: performance.now() };
    const failed = await invoke(event);
    return { cpuMs: cpuMs() - before.cpu, wallMs: performance.now() - before.wall, rssMb: rssMb(), failed };
  },
  /** Works for so long before anything is measured, and for three invocations at least. */
  async warmUp({ records, ms, queues = ['orders'], parallel = 1, ...how }) {
    const endsAt = performance.now() + ms;
    let failed = 0;
    let next = 0;
    async function lane() {
      while (performance.now() < endsAt || next < 3) {
        failed += await invoke(batch(records, { ...how, queue: queues[next++ % queues.length] }));
      }
    }
    await Promise.all(Array.from({ length: parallel }, lane));
    return { failed };
  },
  /** Many of one size in a row; `queues` gives each its turn. Events are made before, and not counted. */
  async repeat({ records, times, queues = ['orders'], parallel = 1, ...how }) {
    const events = Array.from({ length: times }, (_, index) =>
      batch(records, { ...how, queue: queues[index % queues.length] }),
    );
    let failed = 0;
    let next = 0;
    const before = { cpu: cpuMs(), system: systemMs(), wall: performance.now() };
    async function lane() {
      while (next < events.length) {
        const index = next++;
        failed += await invoke(events[index]);
        events[index] = undefined;
      }
    }
    await Promise.all(Array.from({ length: parallel }, lane));
    const messages = records * times;
    const cpu = cpuMs() - before.cpu;
    const wall = performance.now() - before.wall;
    return {
      cpuMs: cpu,
      systemCpuMs: systemMs() - before.system,
      wallMs: wall,
      rssMb: rssMb(),
      failed,
      messages,
      cpuUsPerMessage: (cpu * 1000) / messages,
    };
  },
  /** The first invocations of a young process, each on its own. */
  async young({ records, times }) {
    const cpuUs = [];
    let failed = 0;
    for (let index = 0; index < times; index += 1) {
      const event = batch(records);
      const before = cpuMs();
      failed += await invoke(event);
      cpuUs.push(((cpuMs() - before) * 1000) / records);
    }
    return { cpuUs, failed };
  },
  /** This bundle and another one in turns, after both have worked for some time: CPU of each turn, in µs a message. */
  async turns({ other, records, batches, turns, warmUpMs }) {
    const handlers = [handler, (await import(pathToFileURL(other))).handler];
    let failed = 0;
    async function turn(own) {
      handler = own;
      const events = Array.from({ length: batches }, () => batch(records));
      const before = cpuMs();
      for (const event of events) failed += await invoke(event);
      return ((cpuMs() - before) * 1000) / (batches * records);
    }
    const endsAt = performance.now() + warmUpMs;
    while (performance.now() < endsAt) for (const own of handlers) await turn(own);
    const pairs = [];
    for (let index = 0; index < turns; index += 1) {
      const [first, second] = index % 2 === 0 ? handlers : handlers.toReversed();
      const [one, two] = [await turn(first), await turn(second)];
      pairs.push(index % 2 === 0 ? [one, two] : [two, one]);
    }
    return { pairs, failed };
  },
  /** So many invocations of one record at the same moment. */
  async storm({ calls }) {
    const events = Array.from({ length: calls }, () => batch(1));
    const results = await Promise.all(events.map(invoke));
    return { failed: results.reduce((sum, count) => sum + count, 0) };
  },
  /** One record every so often, on a clock that is turned on in between. */
  async day({ times, everyMs }) {
    let failed = 0;
    for (let index = 0; index < times; index += 1) {
      failed += await invoke(batch(1));
      shiftMs += everyMs;
      await control(`/clock?shiftMs=${shiftMs}`);
    }
    return { failed };
  },
  control: ({ path }) => control(path),
};

// Before anything is loaded: a part may keep `Date.now` itself.
if (simulatedClock) shiftClock();

const loaded = new Set();
if (trace) {
  const { registerHooks } = process.getBuiltinModule('node:module');
  registerHooks({
    load(url, loading, next) {
      if (url.startsWith('file:')) loaded.add(url);
      return next(url, loading);
    },
  });
}

const atStart = cpuMs();
const startedAt = performance.now();
({ handler } = await import(pathToFileURL(bundle)));
const results = { initCpuMs: cpuMs() - atStart, initWallMs: performance.now() - startedAt, steps: [] };
for (const { kind, ...step } of steps) {
  const result = await kinds[kind](step);
  results.steps.push({ ...result, totalCpuMs: cpuMs() });
}
const { statSync } = process.getBuiltinModule('node:fs');
results.loadedBytes = [...loaded].reduce((sum, url) => sum + statSync(new URL(url)).size, 0);
results.maxRssMb = (process.resourceUsage().maxRSS * 1024) / 1e6;
writeSync(3, JSON.stringify(results));
process.exit(0);
