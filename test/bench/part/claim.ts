/**
 * SAP's guide says that JWT is better than opaque tokens under high load: by how much, through the local landscape,
 * with the relay in front of a runtime node that judges a JWT by itself and asks the authorization server about each
 * opaque token, while that server is near, and while it is 20 ms away.
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Deployed, type Landscape, startLandscape } from '../../../infra/local/landscape.ts';
import { createDeliveryLog, type DeliveryLog } from '../../../infra/local/story/delivery-log.ts';
import { type Bench, type PartResult, roundsOf } from '../part.ts';
import { inTurns, median } from '../rounds.ts';

const ROUNDS = 5;
const BATCH = 1_000;
const AWAY_MS = 20;
const FORMATS = ['jwt', 'opaque'] as const;
type Format = (typeof FORMATS)[number];

interface Run {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests to the authorization server for each message. */
  readonly asked: number;
  /** CPU of the landscape, runtime node and authorization server together, in microseconds for each message. */
  readonly cpuUs: number;
}

export async function claim(bench: Bench): Promise<PartResult> {
  const rounds = roundsOf(bench, ROUNDS);
  const log = createDeliveryLog();
  const dist = resolve(bench.subjects.product.bundle, '..');
  const landscape = await startLandscape({ environment: 'neo', dist, onOutput: log.add });
  try {
    const queues = new Map(
      FORMATS.map((format) => {
        const flow = { csrfProtected: false };
        const { queue } = landscape.connect({ name: format, flow, settings: { tokenFormat: format } });
        return [format, queue.arn];
      }),
    );
    const deployed = await landscape.deploy({ polling: false });
    const cases = FORMATS.flatMap((format) => [0, AWAY_MS].map((awayMs) => ({ format, awayMs })));
    bench.progress.expect(cases.length * rounds);
    // Tokens, keys and code are warm before anything is measured.
    for (const format of FORMATS) await send(deployed, queues.get(format) ?? '', 200);
    const variants = cases.map(({ format, awayMs }) => ({
      name: nameOf(format, awayMs),
      run: () => measure({ landscape, deployed, log, queueArn: queues.get(format) ?? '' }, awayMs),
    }));
    const results = await inTurns(variants, rounds, bench.progress.step);
    const of = (format: Format, awayMs: number, read: (run: Run) => number) =>
      median((results.get(nameOf(format, awayMs)) ?? []).map(read));
    const times = (awayMs: number) =>
      of('jwt', awayMs, (run) => run.perSecond) / of('opaque', awayMs, (run) => run.perSecond);
    return {
      title: 'The guide’s claim: JWT under high load',
      tables: [
        {
          title: 'Batches of 1,000, ten calls at a time',
          columns: [
            'token, authorization server',
            'messages/s',
            'p50, ms',
            'p99, ms',
            'requests to the authorization server per message',
            'landscape CPU, µs/message',
          ],
          rows: cases.map(({ format, awayMs }) => [
            nameOf(format, awayMs),
            of(format, awayMs, (run) => run.perSecond).toFixed(0),
            of(format, awayMs, (run) => run.p50Ms).toFixed(0),
            of(format, awayMs, (run) => run.p99Ms).toFixed(0),
            of(format, awayMs, (run) => run.asked).toFixed(3),
            of(format, awayMs, (run) => run.cpuUs).toFixed(0),
          ]),
        },
        {
          title: 'Throughput with JWT over throughput with opaque tokens',
          columns: ['authorization server', 'times'],
          rows: [
            ['near', times(0).toFixed(2)],
            [`${AWAY_MS} ms away`, times(AWAY_MS).toFixed(2)],
          ],
        },
      ],
      goals: [],
      notes: [
        'Runtime node and authorization server are the landscape’s, in one process, over plain HTTP; the relay’s deployed queue function sends to them. Latency is what the relay measures, from its own log.',
        'The runtime node verifies a JWT with the key set that it remembers, and asks about an opaque token at each call, as SAP’s guide describes it; what a real tenant caches is not known.',
      ],
    };
  } finally {
    await landscape.stop();
  }
}

interface Stage {
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  readonly log: DeliveryLog;
  readonly queueArn: string;
}

async function measure({ landscape, deployed, log, queueArn }: Stage, awayMs: number): Promise<Run> {
  const { authorizationServer } = landscape;
  const asked = () => authorizationServer.introspections + authorizationServer.tokenRequests.length;
  authorizationServer.server.slowDown(awayMs);
  const before = { asked: asked(), attempts: log.attempts.length, cpu: process.cpuUsage() };
  const startedAt = performance.now();
  await send(deployed, queueArn, BATCH);
  const wallMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(before.cpu);
  authorizationServer.server.slowDown(0);
  const durations = log.attempts
    .slice(before.attempts)
    .map(({ durationMs }) => durationMs)
    .sort((one, other) => one - other);
  const at = (share: number) => durations[Math.floor(durations.length * share)] ?? Number.NaN;
  return {
    perSecond: (BATCH * 1000) / wallMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    asked: (asked() - before.asked) / BATCH,
    cpuUs: (cpu.user + cpu.system) / BATCH,
  };
}

async function send({ queueFunction }: Deployed, queueArn: string, count: number): Promise<void> {
  const records = Array.from({ length: count }, () => ({
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body: '{"order":"4711"}',
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now()),
      SenderId: 'bench',
      ApproximateFirstReceiveTimestamp: String(Date.now()),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: 'eu-central-1',
  }));
  const result = await queueFunction.invoke({ Records: records });
  const failures = result.ok ? JSON.stringify(result.payload) : result.errorType;
  if (failures !== '{"batchItemFailures":[]}') throw new Error(`not delivered: ${failures.slice(0, 500)}`);
}

function nameOf(format: Format, awayMs: number): string {
  return `${format === 'jwt' ? 'JWT' : 'opaque'}, ${awayMs === 0 ? 'near' : `${awayMs} ms away`}`;
}
