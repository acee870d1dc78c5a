/**
 * A stage for stories: the local landscape with the built bundles on it, its output kept, and when it is struck, that
 * output held against everything confidential that came up.
 */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type AttemptLine, createDeliveryLog } from '../../infra/local/delivery-log.ts';
import {
  type Deployed,
  type DeployOptions,
  type DestinationPlan,
  type Landscape,
  type LandscapeOptions,
  type LocalDestination,
  startLandscape,
} from '../../infra/local/landscape.ts';
import { createConfidential } from './confidential.ts';

export const WEBHOOK_USER = { username: 'legacy-erp', password: 'synthetic+pass:word%é' } as const;

export interface Stage extends Landscape {
  readonly deployed: Deployed;
  /** The destination of the first plan, which is all of it in most stories. */
  readonly orders: LocalDestination;
  /** The destinations in the order of the plans. */
  readonly destinations: readonly LocalDestination[];
  /** Every line that the relay's processes wrote so far. */
  readonly output: readonly string[];
  readonly attempts: readonly AttemptLine[];
  attemptsOf(messageId: string): readonly AttemptLine[];
  /** Sends to a queue what no one may ever see in an output. @returns the id with which it must arrive */
  send(to: LocalDestination, message?: QueueMessage): string;
  /** Posts to the webhook of a destination with good credentials unless told otherwise. */
  post(path: string, options?: PostOptions): Promise<Response>;
}

export interface QueueMessage {
  readonly body?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly group?: string;
}

export interface PostOptions {
  readonly method?: string;
  readonly user?: { readonly username: string; readonly password: string } | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface StageOptions extends LandscapeOptions {
  readonly plans: readonly DestinationPlan[];
  readonly deploy?: DeployOptions;
  /** Done when everything is connected, before the functions exist. */
  readonly before?: (landscape: Landscape, destinations: readonly LocalDestination[]) => void;
}

/** Sets the stage; struck when the test that asked for it is finished. @throws if anything confidential was printed */
export async function setStage({ plans, deploy, before, ...options }: StageOptions): Promise<Stage> {
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
  onTestFinished(async () => {
    await landscape.stop();
    const leaks = confidential.leaksIn(output);
    if (leaks.length > 0) throw new Error(`confidential output:\n${leaks.join('\n')}`);
  });
  for (const value of Object.values(WEBHOOK_USER)) confidential.register(value);
  const destinations = plans.map(landscape.connect);
  const [orders] = destinations;
  if (orders === undefined) throw new TypeError('plans: expected at least one destination');
  before?.(landscape, destinations);
  const deployed = await landscape.deploy(deploy);

  return {
    ...landscape,
    deployed,
    orders,
    destinations,
    output,
    attempts: log.attempts,
    attemptsOf: log.attemptsOf,
    send({ queue }, { body = orderPayload(), attributes = {}, group } = {}) {
      confidential.register(body);
      const { messageId } = queue.send({
        body,
        attributes: Object.fromEntries(
          Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
        ),
        ...(group === undefined ? {} : { groupId: group, deduplicationId: randomUUID() }),
      });
      return attributes.messageId ?? messageId;
    },
    post(path, { method = 'POST', user = WEBHOOK_USER, headers = {}, body = orderPayload() } = {}) {
      if (typeof body === 'string') confidential.register(body);
      const basic = user && `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
      if (basic) confidential.register(basic.slice(6));
      return fetch(`${deployed.httpApi.url}${path}`, {
        method,
        headers: { 'Content-Type': 'application/json', ...(basic ? { Authorization: basic } : {}), ...headers },
        ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
      });
    },
  };
}

/** A payload like no other, so that it is recognised wherever it turns up. */
export function orderPayload(): string {
  return JSON.stringify({ orderNumber: randomUUID(), currency: 'EUR', items: [{ item: 10, material: 'PUMP-100' }] });
}
