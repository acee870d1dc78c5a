/**
 * The alarms of a stack over a day that is simulated: three destinations, senders that never stop, and what goes
 * wrong. What the relay writes and what AWS counts becomes metrics; CloudWatch's rules say who is told of what, and
 * when.
 */
import { type Stack, stack } from '../../infra/deploy/stack/stack.ts';
import type { Arrival, DestinationPlan, FaultPlan, Plan } from '../simulation/plan.ts';
import type { Watch } from '../simulation/world.ts';
import { type AlarmResource, createMetrics, type Evaluation, evaluateAlarms, type Metrics } from './cloudwatch.ts';

export const MINUTE_MS = 60_000;
/** As the simulation begins. */
export const STARTS_AT = Date.UTC(2026, 0, 1);
/** Service and stage, whose names together are those under which the relay counts where nothing is set. */
const SERVICE = 'token';
const STAGE = 'relay';

const BASE: DestinationPlan = {
  name: '',
  fifo: false,
  webhook: undefined,
  client: '',
  tokenFormat: 'jwt',
  maxTokenUseSeconds: 7_200,
  csrf: false,
  timeoutSeconds: 60,
  concurrency: 10,
  retryForHours: 72,
  batchSize: 10,
  maximumConcurrency: 2,
  deadLetterQueue: true,
  flow: { csrfProtected: false, runtime: 8, returnMplId: true },
};

export const DESTINATIONS: readonly DestinationPlan[] = [
  { ...BASE, name: 'orders', client: 'orders' },
  { ...BASE, name: 'stock', client: 'stock', webhook: 'queued' },
  { ...BASE, name: 'invoices', client: 'invoices', fifo: true, retryForHours: 24 },
];

/** The stack that such destinations are deployed as. */
export const made: Stack = stackOf();

function stackOf(of: Partial<DestinationPlan> = {}): Stack {
  return stack({
    service: SERVICE,
    stage: STAGE,
    region: 'eu-central-1',
    custom: {
      alarms: { mail: 'operators@example.com' },
      destinations: Object.fromEntries(
        DESTINATIONS.map(({ name, client, fifo, webhook }) => [
          name,
          {
            secret: `cpi/${client}`,
            path: `/http/${name}`,
            fifo,
            timeoutSeconds: of.timeoutSeconds ?? BASE.timeoutSeconds,
            ...(webhook && { webhook: { verify: 'basic', secret: 'webhooks/stock' } }),
          },
        ]),
      ),
    },
  });
}

/** What a reference resolves to matters to nobody: a name for it does. */
export function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  if ('Ref' in value) return value.Ref;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, resolved(field)]));
}

export const resources = resourcesOf(made);

function resourcesOf({ resources: { Resources } }: Stack): AlarmResource[] {
  return Object.values(Resources).map(({ Type, Properties }) => ({
    Type,
    Properties: resolved(Properties) as AlarmResource['Properties'],
  }));
}

export interface Day {
  readonly hours: number;
  /** Seconds between two messages of one destination. */
  readonly everySeconds?: Readonly<Record<string, number>>;
  readonly faults?: readonly Partial<FaultPlan>[];
  /** How often the flow fails on a message before that. Default never. */
  readonly failuresOf?: (number: number, destination: string, atMs: number) => number;
  /** Default as in `DESTINATIONS`. */
  readonly of?: Partial<DestinationPlan>;
  /** What the flow makes of a message in the end. Default 200. */
  readonly verdictOf?: (number: number, destination: string, atMs: number) => number;
}

export function planOf(day: Day): Plan {
  const { hours, everySeconds = {}, faults = [], verdictOf = () => 200, failuresOf = () => 0, of = {} } = day;
  const arrivals: Arrival[] = DESTINATIONS.flatMap(({ name, fifo, webhook }, index) => {
    const everyMs = (everySeconds[name] ?? 20) * 1_000;
    const count = Math.floor((hours * 3_600_000) / everyMs);
    return Array.from({ length: count }, (_, n) => {
      const number = (index + 1) * 1_000_000 + n;
      // Not on the minute, and no two destinations at once.
      const atMs = n * everyMs + index * 1_337;
      const via = webhook === undefined ? ('queue' as const) : ('webhook' as const);
      const group = fifo ? { group: `g${n % 5}` } : {};
      return {
        number,
        atMs,
        destination: name,
        via,
        ...group,
        form: 'plain' as const,
        verdict: verdictOf(number, name, atMs),
        exceptions: failuresOf(number, name, atMs),
      };
    });
  }).sort((one, other) => one.atMs - other.atMs);
  return {
    seed: 1,
    environment: 'cf',
    tokenLifetimeSeconds: 43_200,
    expiredTokenStatus: 401,
    workers: 3,
    keepAliveMs: 60_000,
    idleMs: 15 * MINUTE_MS,
    shuffle: false,
    destinations: DESTINATIONS.map((destination) => ({ ...destination, ...of })),
    arrivals,
    faults: faults.map((fault) => ({
      kind: '',
      fromMs: 0,
      toMs: hours * 3_600_000,
      share: 1,
      seed: 7,
      destination: 'orders',
      ...fault,
    })),
  };
}

/** Makes metrics of a run, under the names that they have in the deployed stack. */
export function measured(): { readonly metrics: Metrics; readonly watch: Watch; readonly lines: string[] } {
  const metrics = createMetrics();
  const lines: string[] = [];
  const watch: Watch = {
    log(line) {
      lines.push(line);
      metrics.log(line);
    },
    queue(queue, at) {
      const attributes = queue.attributes();
      const put = (name: string, value: number) =>
        metrics.put('AWS/SQS', name, { QueueName: `${SERVICE}-${STAGE}-${queue.name}` }, value, at - 1);
      put('ApproximateNumberOfMessagesVisible', Number(attributes.ApproximateNumberOfMessages));
      put('ApproximateNumberOfMessagesNotVisible', Number(attributes.ApproximateNumberOfMessagesNotVisible));
      put('ApproximateAgeOfOldestMessage', queue.ageOfOldestSeconds() ?? 0);
    },
    invoked(destination, messages, at) {
      const mapping = `EventSourceMappingOf${destination.replace(/^./, (first) => first.toUpperCase())}`;
      metrics.put('AWS/Lambda', 'InvokedEventCount', { EventSourceMappingUUID: mapping }, messages, at);
    },
    ended(entry, { startedAt, endedAt = startedAt, end }) {
      const FunctionName = entry === 'queue' ? 'QueueLambdaFunction' : 'WebhookLambdaFunction';
      const put = (name: string, value: number) => metrics.put('AWS/Lambda', name, { FunctionName }, value, startedAt);
      put('Duration', endedAt - startedAt);
      put('Errors', end === 'replied' ? 0 : 1);
    },
  };
  return { metrics, watch, lines };
}

/** @param of what the destinations of the stack have otherwise than `DESTINATIONS` */
export function alarmsOver(metrics: Metrics, hours: number, of?: Partial<DestinationPlan>): Evaluation {
  const watched = of === undefined ? resources : resourcesOf(stackOf(of));
  return evaluateAlarms(watched, metrics, STARTS_AT, STARTS_AT + hours * 3_600_000);
}

/** Without service and stage: `orders-blocked`. */
export function short(name: string): string {
  return name.replace(`${SERVICE}-${STAGE}-`, '');
}
