/**
 * A run of the relay under faults: messages go in by waves, each with troubles of its own, time is turned on between
 * them, then the faults stop and the queues run dry. Real processes, real sockets; only the queues' clock is in our
 * hand: it stands still during a wave and is turned on while nothing is in flight, so that no wait of the relay's is
 * cut short.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type LocalDestination, startLandscape } from '../../infra/local/landscape.ts';
import type { RuntimeNode } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { type AttemptLine, createDeliveryLog, type DeliveryLog } from '../../infra/local/story/delivery-log.ts';
import { createRandom } from '../doubles/random.ts';
import { type Account, account, type Causes, countBy, type LetterTold } from './accounting.ts';
import { spoilCalls, TROUBLES, type Trouble, type World } from './faults.ts';
import { createTraffic, verdictOf } from './traffic.ts';

export interface ReliabilityOptions {
  /** How many are sent, half of them to a FIFO queue. */
  readonly messages: number;
  readonly seed: number;
  /** Of the FIFO queue. Default 50. */
  readonly groups?: number;
  /** Share of the calls of the runtime node that fail, 0 to 1. Default 0.2. */
  readonly faults?: number;
  /** Messages of one wave. Default 80. */
  readonly waveSize?: number;
  /** How long the troubles of a wave last at the most, in real milliseconds. Default 1,000. */
  readonly troubleMs?: number;
  /** Both destinations go from Neo to Cloud Foundry in the middle of it. Default false: there is one environment. */
  readonly cutover?: boolean;
  /** Told after each wave. */
  readonly progress?: (state: { sent: number; runs: number; left: number; faults: number }) => void;
}

export interface Reliability extends Account {
  /** How often each took effect. */
  readonly faults: ReadonlyMap<string, number>;
  readonly invocations: number;
  readonly attempts: number;
  /** Invocations that ended without a reply, by what Lambda says of them. */
  readonly broken: ReadonlyMap<string, number>;
  /** With a cut-over: messages that ran on each side, and what ran where it must not have, in words. */
  readonly sides?: { readonly old: number; readonly new: number; readonly wrong: readonly string[] };
  /** Time that passed in the queues, in seconds. */
  readonly queueSeconds: number;
  /** Of each message that the books name as untold or untrue: its attempts as the relay's log told them, and causes. */
  readonly traces: readonly string[];
}

const DRAIN_TURNS = 20_000;
const TIMEOUT_MS = 60_000;
/** About what passes in the queues over a wave: the cut is in the middle. */
const WAVE_MS = 250_000;

export async function runReliability(options: ReliabilityOptions): Promise<Reliability> {
  const { messages, seed, groups = 50, faults: share = 0.2, waveSize = 80, troubleMs = 1_000, progress } = options;
  const random = createRandom(seed);
  const log = createDeliveryLog();
  const faults = new Map<string, number>();
  const count = (name: string) => add(faults, name);
  const again = new Map<string, number>();
  const interrupted = new Map<string, number>();
  const unconfirmed = new Map<string, number>();
  const startedAt = Date.now();
  let queueTime = startedAt;
  const sqsNow = () => queueTime;
  const { cutover = false } = options;
  const landscape = await startLandscape({ sqsNow, onOutput: log.add, environment: cutover ? 'neo' : 'cf' });
  try {
    const settings = { timeoutSeconds: 1 };
    const waves = Math.ceil(messages / waveSize);
    const cf = cutover ? await landscape.openEnvironment('cf') : undefined;
    const since = startedAt + (waves / 2) * WAVE_MS;
    const sentAt = new Map<string, number>();
    const overTo = (name: string) =>
      cf === undefined
        ? {}
        : {
            cutover: {
              ...cf.connect({ name, flow: { address: `/${name}`, answer: verdictOf } }).settings,
              since: new Date(since).toISOString(),
            },
          };
    const standard = landscape.connect({
      name: 'standard',
      flow: { address: '/standard', answer: verdictOf },
      settings: { ...settings, ...overTo('standard') },
    });
    const fifo = landscape.connect({
      name: 'fifo',
      fifo: true,
      flow: { address: '/fifo', answer: verdictOf },
      settings: { ...settings, fifo: true, ...overTo('fifo') },
    });
    const deployed = await landscape.deploy({ queueTimeoutSeconds: 5 });
    const { queueFunction } = deployed;
    const traffic = createTraffic({ standard, fifo, groups, random });
    const both = [standard, fifo];
    const world: World = {
      landscape,
      deployed,
      standard,
      fifo,
      random,
      count,
      interrupted: (id) => add(interrupted, id),
      unconfirmed: (id) => add(unconfirmed, id),
      kill,
      deliverAgain,
    };

    function kill(): boolean {
      const busy = queueFunction.running.filter((process) => process.busy);
      if (busy.length === 0) return false;
      try {
        process.kill(random.pick(busy).pid, 'SIGKILL');
      } catch {
        // Killed a moment ago, and nobody has heard of it yet.
        return false;
      }
      count('function killed');
      return true;
    }

    /** Any of the last hundred that were sent to the standard queue, delivered or not. */
    function deliverAgain(): void {
      const recent = traffic.sent.slice(-200).filter(({ group }) => group === undefined);
      if (recent.length === 0) return;
      const { recordId, messageId } = random.pick(recent);
      try {
        standard.queue.deliverAgain(recordId);
      } catch {
        // SQS has forgotten it already: only the last hundred deletions are remembered.
        return;
      }
      add(again, messageId);
      count('duplicate of SQS');
    }

    /** Until nothing runs and nothing more is to be had. */
    async function settle(): Promise<void> {
      do {
        for (const { trigger } of both) await trigger?.waitUntilIdle({ timeoutMs: TIMEOUT_MS });
        await nextTurn();
      } while (both.some(({ trigger }) => (trigger?.running ?? 0) > 0));
    }

    /** Turns the queues' clock to when the next message comes back, and some time further. */
    function turnOn(furtherMs: number): void {
      const next = both.map(({ queue }) => queue.nextVisibleAt()).filter((at) => at !== undefined);
      if (next.length > 0) queueTime = Math.max(queueTime, Math.min(...next)) + furtherMs;
      for (const { trigger } of both) {
        trigger?.pause();
        trigger?.resume();
      }
    }

    async function wave(size: number, troubles: readonly Trouble[]): Promise<void> {
      const ends: (() => void | Promise<void>)[] = [];
      // What a trouble delivers again must not be in flight while the clock is turned on: it would be received twice.
      for (const { trigger } of both) trigger?.pause();
      for (const trouble of troubles) ends.push(await trouble.begin(world));
      turnOn(random.pick([1_000, 20_000, 900_000]));
      const before = traffic.sent.length;
      traffic.send(Math.ceil(size / 2));
      for (const { messageId } of traffic.sent.slice(before)) sentAt.set(messageId, queueTime);
      const settled = settle();
      const over = new AbortController();
      // What waits in vain for a service that is gone would wait for long: its trouble ends in the middle of the work.
      await Promise.race([settled, delay(troubleMs, undefined, { signal: over.signal }).catch(() => undefined)]);
      over.abort();
      for (const end of ends) await end();
      await settled;
      if (troubles.some(({ recycles }) => recycles)) await queueFunction.killEnvironments();
      report();
    }

    function report(): void {
      const left = both.reduce((sum, { queue }) => sum + queue.size, 0);
      const hits = [...faults.values()].reduce((sum, hit) => sum + hit, 0);
      progress?.({ sent: traffic.sent.length, runs: runs().length, left, faults: hits });
    }

    /** Of both nodes, in their order. */
    function runs() {
      const all = [...landscape.runtimeNode.messages, ...(cf?.runtimeNode.messages ?? [])];
      return cf === undefined ? all : all.sort((one, other) => one.at - other.at);
    }

    spoilCalls(world, share);
    if (cf !== undefined) spoilCalls({ ...world, landscape: { ...landscape, runtimeNode: cf.runtimeNode } }, share);
    const troubles: Trouble[] = [];
    const perWave = Math.max(1, Math.ceil(TROUBLES.length / waves));
    for (let number = 0; number < waves; number += 1) {
      if (troubles.length < perWave) troubles.push(...random.shuffled(TROUBLES));
      await wave(Math.min(waveSize, messages - traffic.sent.length), share === 0 ? [] : troubles.splice(0, perWave));
    }

    landscape.runtimeNode.server.heal();
    cf?.runtimeNode.server.heal();
    await queueFunction.killEnvironments();
    for (let turn = 0; turn < DRAIN_TURNS && both.some(({ queue }) => queue.size > 0); turn += 1) {
      turnOn(60_000);
      await settle();
      report();
    }

    const invocations = both.flatMap(({ trigger }) => trigger?.invocations ?? []);
    const broken = invocations.filter(({ reply }) => !reply.ok);
    const nameOf = new Map(traffic.sent.map(({ recordId, messageId }) => [recordId, messageId]));
    const killed = countBy(
      // It is unknown whether the request of a killed process had gone out again on a dead socket.
      broken.flatMap(({ batch }) => [...batch, ...batch]),
      (recordId) => nameOf.get(recordId) ?? recordId,
    );
    const unknown = countBy(log.attempts.flatMap(mayHaveRun), (messageId) => messageId);
    const causes = { again, unknown, killed, interrupted, unconfirmed };
    const books = account({
      sent: traffic.sent,
      runs: runs().map(({ messageId, bodySha256, status }) => ({
        messageId,
        bodySha256,
        status,
      })),
      letters: both.flatMap(lettersOf),
      causes,
    });
    const traces = [...books.untold, ...books.untrue].map((line) => trace(line.split(' ', 1)[0] ?? '', log, causes));
    return {
      ...books,
      ...(cf === undefined ? {} : { sides: sidesOf(landscape.runtimeNode, cf.runtimeNode, sentAt, since) }),
      traces,
      faults,
      invocations: invocations.length,
      attempts: log.attempts.length,
      broken: countBy(broken, ({ reply }) => (reply.ok ? '' : reply.errorType)),
      queueSeconds: Math.round((queueTime - startedAt) / 1000),
    };
  } finally {
    await landscape.stop();
  }
}

/** Counted at both runtime nodes, by the id that each message arrived with. */
function sidesOf(
  old: RuntimeNode,
  other: RuntimeNode,
  sentAt: ReadonlyMap<string, number>,
  since: number,
): NonNullable<Reliability['sides']> {
  const [onOld, onNew] = [old, other].map(({ messages }) => new Set(messages.map(({ messageId = '' }) => messageId)));
  const wrong = [...sentAt].flatMap(([id, at]) => {
    const isNew = at >= since;
    if (!(isNew ? onOld : onNew)?.has(id)) return [];
    return [
      `${id} was sent ${Math.abs(at - since)} ms ${isNew ? 'after' : 'before'} the cut, and ran on the other side`,
    ];
  });
  return { old: onOld?.size ?? 0, new: onNew?.size ?? 0, wrong };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * The message's id as often as the flow may have run beyond what the line itself reports: once for an attempt that
 * ended well, twice for one that did not, since its request may have gone out again on a dead socket.
 */
function mayHaveRun(attempt: AttemptLine & { readonly executed?: string }): string[] {
  const { messageId, outcome, executed } = attempt;
  if (executed !== 'unknown') return [];
  return outcome === 'delivered' ? [messageId] : [messageId, messageId];
}

function trace(messageId: string, log: DeliveryLog, causes: Causes): string {
  const seen = Object.entries(causes).map(([cause, counts]) => `${cause} ${counts.get(messageId) ?? 0}`);
  const attempts = log.attemptsOf(messageId).map((attempt) => JSON.stringify(attempt));
  return [`${messageId}: ${seen.join(', ')}`, ...attempts].join('\n  ');
}

function lettersOf({ deadLetterQueue }: LocalDestination) {
  return deadLetterQueue.messages.map(({ id, attributes }) => {
    const told = attributes.deadLetter?.stringValue;
    return { recordId: id, told: told === undefined ? undefined : (JSON.parse(told) as LetterTold) };
  });
}
