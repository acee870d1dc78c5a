/**
 * A stage for stories: the local landscape with the built bundles on it, its output kept, and when it is struck, that
 * output held against everything confidential that came up. Polls only when told to, so that each batch is a known one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { TriggerInvocation } from '../../infra/local/aws/queue-trigger/queue-trigger.ts';
import type { NewSide, SapEnvironment } from '../../infra/local/environment.ts';
import {
  type Deployed,
  type DeployOptions,
  type DestinationPlan,
  type Landscape,
  type LandscapeOptions,
  type LocalDestination,
  startLandscape,
} from '../../infra/local/landscape.ts';
import { type AttemptLine, createDeliveryLog } from '../../infra/local/story/delivery-log.ts';
import { createConfidential } from './confidential.ts';
import { type GatewayName, startGateway } from './gateway.ts';
import { countBy, type Tally, tally } from './tally.ts';

export const WEBHOOK_USER = { username: 'legacy-erp', password: 'synthetic+pass:word%é' } as const;

/** A line `delivery.attempted`, with every field that the product promises. */
export interface AttemptTold extends AttemptLine {
  readonly level: string;
  readonly executed: 'yes' | 'no' | 'unknown';
  readonly mplId?: string;
  readonly resent?: boolean;
  readonly side?: 'old' | 'new';
}

export interface Stage extends Landscape {
  readonly deployed: Deployed;
  /** The destination of the first plan, which is all of it in most stories. */
  readonly orders: LocalDestination;
  /** The destinations in the order of the plans. */
  readonly destinations: readonly LocalDestination[];
  /** The environment of the cut-over, and the first destination's side there. */
  readonly newEnvironment: SapEnvironment | undefined;
  readonly newSide: NewSide | undefined;
  /** Every line that the relay's processes wrote so far. */
  readonly output: string[];
  readonly attempts: readonly AttemptTold[];
  attemptsOf(messageId: string): readonly AttemptTold[];
  /**
   * How often the attempts had these fields' values: `{ 'delivered 200 yes 1': 10 }`. Default outcome, status,
   * executed, calls.
   */
  outcomes(...fields: (keyof AttemptTold)[]): Record<string, number>;
  /** The log lines with this message, as they were written. */
  told(message: string): readonly Record<string, unknown>[];
  /** What in the output must not be there; checked anyway when the test is finished. */
  leaks(): string[];
  tally(): Tally;
  /** Ids of the messages that a flow took, in order; one whose body is not the one that was sent says so. */
  arrivals(): string[];
  /** Sends to a queue what no one may ever see in an output. @returns the id with which it must arrive */
  send(to: LocalDestination, message?: QueueMessage): string;
  /** Sends so many orders. @returns their ids, sorted */
  sendMany(count: number, to?: LocalDestination): string[];
  /** Polls a queue until so many more invocations (default 1) are over and nothing runs, then polls it no more. */
  poll(from?: LocalDestination, invocations?: number): Promise<readonly TriggerInvocation[]>;
  /** The same, after the wait of every message that is left is made to be over. Standard queues alone. */
  pollAgain(from?: LocalDestination, invocations?: number): Promise<readonly TriggerInvocation[]>;
  /** Posts to the webhook of a destination with good credentials unless told otherwise. */
  post(path: string, options?: PostOptions): Promise<Response>;
}

export interface QueueMessage {
  /** As it lies in the queue. Default: an order in JSON. */
  readonly body?: string;
  /** What must arrive, where the body is not that. */
  readonly payload?: Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly group?: string;
}

export interface PostOptions {
  readonly method?: string;
  /** Default `WEBHOOK_USER`; null sends no credentials. */
  readonly user?: { readonly username: string; readonly password: string } | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface StageOptions extends LandscapeOptions {
  readonly plans: readonly DestinationPlan[];
  readonly deploy?: DeployOptions;
  /** What stands in front of the webhook function. Default an HTTP API with payload 2.0. */
  readonly gateway?: GatewayName;
  /**
   * True: the token is fetched during init, as it is where all destinations share one. Default false: a further
   * destination with credentials of its own stands by, so that a story begins with nothing fetched.
   */
  readonly tokenDuringInit?: boolean;
  /** Each destination has a cut-over to a second SAP environment. Default: there is one environment alone. */
  readonly cutover?: {
    readonly environment: 'neo' | 'cf';
    readonly since: string;
    readonly share?: number;
    readonly assignRole?: boolean;
  };
  /** Done when everything is connected, before the functions exist. */
  readonly before?: (landscape: Landscape, destinations: readonly LocalDestination[]) => void;
}

/** Sets the stage; struck when the test that asked for it is finished. @throws if anything confidential was printed */
export async function setStage(staged: StageOptions): Promise<Stage> {
  const { plans, deploy, before, gateway, tokenDuringInit = false, cutover, ...options } = staged;
  const confidential = createConfidential();
  const output: string[] = [];
  const log = createDeliveryLog();
  const landscape = await startLandscape({
    ...options,
    confidential: confidential.register,
    onOutput: (line) => {
      output.push(line);
      log.add(line);
    },
  });
  const leaks = () => confidential.leaksIn(output);
  onTestFinished(async () => {
    await landscape.stop();
    if (leaks().length > 0) throw new Error(`confidential output:\n${leaks().join('\n')}`);
  });
  for (const value of Object.values(WEBHOOK_USER)) confidential.register(value);
  const newEnvironment = cutover && (await landscape.openEnvironment(cutover.environment));
  const newSides: NewSide[] = [];
  const destinations = plans.map((plan) => {
    if (cutover === undefined || newEnvironment === undefined) return landscape.connect(plan);
    const { since, share = 100, assignRole = true } = cutover;
    const side = newEnvironment.connect({ ...plan, assignRole });
    newSides.push(side);
    const settings = { ...plan.settings, cutover: { ...side.settings, since, share } };
    return landscape.connect({ ...plan, settings });
  });
  if (!tokenDuringInit) landscape.connect({ name: 'standby' });
  const [orders] = destinations;
  if (orders === undefined) throw new TypeError('plans: expected at least one destination');
  before?.(landscape, destinations);
  const deployed = await landscape.deploy({ polling: false, ...deploy });
  const webhooks = gateway === undefined ? deployed.httpApi : await startGateway(gateway, deployed);

  // The log keeps whole lines: its type names only what the landscape itself reads of them.
  const attempts = log.attempts as readonly AttemptTold[];
  const sent = new Map<string, string>();

  async function poll(from: LocalDestination, invocations: number) {
    const { trigger } = from;
    if (trigger === undefined) throw new Error(`nothing polls the queue of ${from.name}`);
    const before = trigger.invocations.length;
    trigger.resume();
    await trigger.waitForInvocations(before + invocations, { timeoutMs: 20_000 });
    trigger.pause();
    await trigger.waitUntilIdle({ timeoutMs: 20_000 });
    return trigger.invocations.slice(before);
  }

  function send({ queue }: LocalDestination, message: QueueMessage = {}): string {
    const { body = orderPayload(), attributes = {}, group } = message;
    confidential.register(body);
    const { messageId } = queue.send({
      body,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
      ),
      ...(group === undefined ? {} : { groupId: group, deduplicationId: randomUUID() }),
    });
    const id = attributes.messageId ?? messageId;
    sent.set(id, sha256(message.payload ?? body));
    return id;
  }

  return {
    ...landscape,
    deployed,
    orders,
    destinations,
    newEnvironment,
    newSide: newSides[0],
    output,
    attempts,
    attemptsOf: (messageId) => attempts.filter((attempt) => attempt.messageId === messageId),
    outcomes: (...fields) => {
      const names = fields.length === 0 ? (['outcome', 'status', 'executed', 'calls'] as const) : fields;
      return countBy(attempts, (attempt) => names.map((name) => attempt[name] ?? '-').join(' '));
    },
    told: (message) => output.filter((line) => line.includes(`"message":"${message}"`)).map((line) => JSON.parse(line)),
    leaks,
    tally: () => tally(landscape, destinations),
    arrivals: () =>
      [...landscape.runtimeNode.messages, ...(newEnvironment?.runtimeNode.messages ?? [])]
        .filter(({ status }) => status >= 200 && status < 300)
        .map(({ messageId = 'without id', bodySha256 }) =>
          sent.get(messageId) === bodySha256 ? messageId : `${messageId} with another body`,
        ),
    send,
    sendMany: (count, to = orders) => Array.from({ length: count }, () => send(to)).sort(),
    poll: (from = orders, invocations = 1) => poll(from, invocations),
    pollAgain: (from = orders, invocations = 1) => {
      for (const { id } of from.queue.messages) from.queue.deliverAgain(id);
      return poll(from, invocations);
    },
    post(path, { method = 'POST', user = WEBHOOK_USER, headers = {}, body = orderPayload() } = {}) {
      if (typeof body === 'string') confidential.register(body);
      const basic = user && Buffer.from(`${user.username}:${user.password}`).toString('base64');
      if (basic) confidential.register(basic);
      return fetch(`${webhooks.url}${path}`, {
        method,
        headers: {
          'Content-Type': 'application/json',
          ...(basic ? { Authorization: `Basic ${basic}` } : {}),
          ...headers,
        },
        ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
      });
    },
  };
}

/** A payload like no other, so that it is recognised wherever it turns up. */
export function orderPayload(): string {
  return JSON.stringify({ orderNumber: randomUUID(), currency: 'EUR', items: [{ item: 10, material: 'PUMP-100' }] });
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
