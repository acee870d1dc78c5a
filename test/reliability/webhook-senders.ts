/**
 * Legacy systems that post orders to a queued webhook while its processes are killed and SQS's answers get lost: each
 * tries again under the same id until it gets a 202, as a sender should. What became of each 202 is then looked up by
 * its id at the runtime node and in the queues. Real processes, real sockets, real time.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Deployed, type LocalDestination, startLandscape } from '../../infra/local/landscape.ts';
import type { Fault } from '../../infra/local/server/server.ts';
import { createRandom, type Random } from '../doubles/random.ts';
import { sha256 } from '../stories/stage.ts';

export interface WebhookRunOptions {
  /** Half of them to a FIFO queue. */
  readonly messages: number;
  readonly seed: number;
  /** At once. Default 8. */
  readonly senders?: number;
  /** Told after each message. */
  readonly progress?: (state: { accepted: number; kills: number }) => void;
}

export interface WebhookRun {
  readonly sent: number;
  /** Messages whose sender got a 202. */
  readonly accepted: number;
  /** Answers by status; `none` for a connection that broke. */
  readonly answers: Readonly<Record<string, number>>;
  /** Processes that were killed: of the webhook function, of these while they ran one, of the queue function. */
  readonly kills: { readonly webhook: number; readonly busy: number; readonly queue: number };
  readonly lostAnswersOfSqs: number;
  /** Of the accepted: those for which the flow ran with the very same bytes; those that only lie in a queue. */
  readonly delivered: number;
  readonly queued: number;
  readonly dead: number;
  /** Accepted, and nowhere to be found with their bytes: must be empty. */
  readonly lost: readonly string[];
  /** Found, and never sent under this id with these bytes: must be empty. */
  readonly strange: readonly string[];
  /** Runs of the flow beyond the first, by kind of queue. */
  readonly duplicates: { readonly standard: number; readonly fifo: number };
}

const TRIES = 50;
const USER = { username: 'legacy', password: 'synthetic-password' };
const AUTHORIZATION = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
const SQS_FAULTS: readonly Fault[] = ['reset-before', 'reset-after', 'half-answer', { status: 503 }];

export async function runWebhooks(options: WebhookRunOptions): Promise<WebhookRun> {
  const { messages, seed, senders = 8, progress } = options;
  const random = createRandom(seed);
  const landscape = await startLandscape();
  try {
    const webhook = { ...USER, mode: 'queued' } as const;
    const standard = landscape.connect({ name: 'standard', webhook, flow: { csrfProtected: false } });
    const fifo = landscape.connect({
      name: 'fifo',
      webhook,
      fifo: true,
      flow: { csrfProtected: false },
      settings: {
        webhook: { verify: 'basic', secret: 'webhooks/fifo', messageGroupId: '/customer' },
      },
    });
    const both = [standard, fifo];
    const deployed = await landscape.deploy();
    const kills = createKills(deployed, random);
    const answers: Record<string, number> = {};
    const bodies = new Map<string, { readonly sha256: string; readonly destination: string }>();
    const accepted = new Set<string>();
    let lostAnswersOfSqs = 0;
    let started = 0;

    async function send(number: number): Promise<void> {
      const id = `order-${seed}-${number}-${randomUUID()}`;
      const { name } = number % 2 === 0 ? standard : fifo;
      const body = orderOf(id, random);
      bodies.set(id, { sha256: sha256(body), destination: name });
      for (let attempt = 0; attempt < TRIES && !accepted.has(id); attempt += 1) {
        if (random.chance(0.04)) kills.soon();
        if (random.chance(0.03)) {
          lostAnswersOfSqs += 1;
          const when = ({ headers }: { headers: Readonly<Record<string, string>> }) =>
            headers['x-amz-target'] === 'AmazonSQS.SendMessage';
          landscape.sqsServer.fail({ fault: random.pick(SQS_FAULTS), when });
        }
        const status = await post(`${deployed.httpApi.url}/webhooks/${name}`, id, body);
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === '202') accepted.add(id);
      }
      progress?.({ accepted: accepted.size, kills: kills.count.webhook });
    }

    async function sendSome(): Promise<void> {
      while (started < messages) {
        started += 1;
        await send(started);
      }
    }

    await Promise.all(Array.from({ length: senders }, sendSome));
    await kills.over();
    for (const { trigger } of both) await trigger?.waitUntilIdle({ timeoutMs: 120_000 });

    const isTrue = (id: string | undefined, digest: string) => id !== undefined && bodies.get(id)?.sha256 === digest;
    const runs = landscape.runtimeNode.messages.filter(({ status }) => status === 200);
    const arrived = new Set(
      runs.flatMap(({ messageId, bodySha256 }) => (isTrue(messageId, bodySha256) ? [messageId ?? ''] : [])),
    );
    const waiting = both.flatMap(({ queue }) => lyingIn(queue));
    const deadLettered = both.flatMap(({ deadLetterQueue }) => lyingIn(deadLetterQueue));
    const inQueue = new Set(waiting.filter(({ id, digest }) => isTrue(id, digest)).map(({ id }) => id));
    const dead = new Set(deadLettered.filter(({ id, digest }) => isTrue(id, digest)).map(({ id }) => id));
    const all = [
      ...waiting,
      ...deadLettered,
      ...runs.map((run) => ({ id: run.messageId ?? '', digest: run.bodySha256 })),
    ];
    const runsOf = (name: string) => runs.filter(({ messageId = '' }) => bodies.get(messageId)?.destination === name);
    const again = (name: string) => {
      const own = runsOf(name);
      return own.length - new Set(own.map(({ messageId }) => messageId)).size;
    };
    const ids = [...accepted];
    return {
      sent: bodies.size,
      accepted: accepted.size,
      answers,
      kills: kills.count,
      lostAnswersOfSqs,
      delivered: ids.filter((id) => arrived.has(id)).length,
      queued: ids.filter((id) => !arrived.has(id) && inQueue.has(id)).length,
      dead: ids.filter((id) => !arrived.has(id) && dead.has(id)).length,
      lost: ids.filter((id) => !arrived.has(id) && !inQueue.has(id) && !dead.has(id)),
      strange: all.filter(({ id, digest }) => !isTrue(id, digest)).map(({ id }) => id),
      duplicates: { standard: again('standard'), fifo: again('fifo') },
    };
  } finally {
    await landscape.stop();
  }
}

/** Kills processes shortly after it is asked to, wherever they happen to be in their work. */
function createKills({ webhookFunction, queueFunction }: Deployed, random: Random) {
  const count = { webhook: 0, busy: 0, queue: 0 };
  const pending = new Set<Promise<void>>();

  function kill(): void {
    const isQueue = random.chance(0.1);
    const { running } = isQueue ? queueFunction : webhookFunction;
    const busy = running.filter((environment) => environment.busy);
    const candidates = busy.length > 0 ? busy : running;
    if (candidates.length === 0) return;
    const { pid, busy: isBusy } = random.pick(candidates);
    if (!killed(pid)) return;
    if (isQueue) count.queue += 1;
    else {
      count.webhook += 1;
      if (isBusy) count.busy += 1;
    }
  }

  return {
    count,
    soon(): void {
      const killing: Promise<void> = delay(random.between(0, 25)).then(() => {
        pending.delete(killing);
        kill();
      });
      pending.add(killing);
    },
    async over(): Promise<void> {
      await Promise.all(pending);
    },
  };
}

/** Whether it was still there: one whose end is not reported yet is among those that run. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function post(url: string, id: string, body: string): Promise<string> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: AUTHORIZATION, 'Content-Type': 'application/json', 'X-Request-Id': id },
      body,
    });
    const text = await response.text();
    // What a sender keeps is the id of the reply.
    if (response.status === 202 && (JSON.parse(text) as { messageId: string }).messageId !== id)
      return '202 of another';
    return String(response.status);
  } catch {
    return 'none';
  }
}

/** A tenth of them with bytes that SQS takes as base64 alone. */
function orderOf(id: string, random: Random): string {
  const note = random.chance(0.1) ? '\u007f\uffff' : 'größe';
  return JSON.stringify({ order: id, customer: `customer-${random.between(1, 20)}`, note });
}

function lyingIn({ messages }: LocalDestination['queue']): { id: string; digest: string }[] {
  return messages.map(({ id, attributes, body }) => {
    const isBase64 = attributes.bodyEncoding?.stringValue === 'base64';
    return {
      id: attributes.messageId?.stringValue ?? id,
      digest: sha256(Buffer.from(body, isBase64 ? 'base64' : 'utf8')),
    };
  });
}
