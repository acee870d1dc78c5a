/** Draws a plan from its seed: the same seed makes the same plan. */
import { createChance, type Random } from '../doubles/random.ts';
import { ANSWERED_EARLY, FAULTS, SERVER_MOVED, SIDES_DOWN, SLOW_FLOW } from './faults.ts';
import { type Arrival, type DestinationPlan, type FaultPlan, type Form, newSideOf, type Plan } from './plan.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** So few runs last for days, so that messages are given up in the end. */
const LONG_SHARE = 0.01;
/** Of the runs. */
const EARLY_SHARE = 0.1;
const LONG_FAULTS = [
  'node: role taken away',
  'node: flow undeployed',
  'secret: access denied',
  'queue: dead-letter queue denied',
];

/**
 * @param messages how many are sent. Default: a few, drawn as well
 * @param isLong lasts for days. Default: drawn, and few do
 */
export function drawPlan(seed: number, messages?: number, isLong = false): Plan {
  const chance = createChance(seed);
  const short = withEarlyAnswers(drawShortPlan(seed, messages));
  const arrivals = withNamesakes(short.arrivals, chance('namesakes'));
  // So little time that it is over while something is awaited that is not the flow.
  const hurry = chance('hurry').chance(0.1) ? { queueTimeoutSeconds: 8 } : {};
  const plan = withCutovers({ ...short, arrivals, ...hurry }, chance('cutover'));
  const random = chance('long');
  return random.chance(LONG_SHARE) || isLong ? drawLongPlan(plan, random) : plan;
}

/** What lasts for days: nobody acts, or nobody polls; then the flow fails for a while. */
function drawLongPlan(plan: Plan, random: Random): Plan {
  const { seed } = plan;
  const destination = plan.arrivals[0]?.destination ?? '';
  const lasting = { fromMs: 0, share: 1, seed, destination };
  if (random.chance(0.25)) {
    const toMs = random.pick([2, 4, 11]) * DAY_MS;
    const failing = { ...lasting, kind: 'node: 503', fromMs: toMs, toMs: toMs + 10 * MINUTE_MS };
    return { ...plan, faults: [{ ...lasting, kind: 'queue: not polled', toMs }, failing, ...plan.faults.slice(0, 2)] };
  }
  // One ends before SQS's retention of 14 days, the other after it.
  const fault = { ...lasting, kind: random.pick(LONG_FAULTS), toMs: random.pick([13, 14.5]) * DAY_MS };
  const faults = [fault, ...plan.faults.slice(0, 2)];
  if (random.chance(0.5)) return { ...plan, arrivals: plan.arrivals.slice(0, random.pick([6, 40])), faults };
  // In one queue, and on FIFO in one lane, whose last must become a dead letter in time, too; environments outlive the
  // waits.
  const lane = plan.arrivals.filter((arrival) => arrival.destination === destination).map(inOneLane);
  return { ...plan, arrivals: lane.slice(0, random.pick([40, 300])), faults, idleMs: 45 * MINUTE_MS };
}

function inOneLane(arrival: Arrival): Arrival {
  return arrival.group === undefined ? arrival : { ...arrival, group: 'g1' };
}

/** Senders that use an id twice: for another message, or for the same once more. */
function withNamesakes(arrivals: readonly Arrival[], random: Random): Arrival[] {
  let number = arrivals.length;
  return arrivals.flatMap((arrival) => {
    if (arrival.via === 'queue') return [arrival];
    const source = random.chance(0.3) ? { source: `/sources/${random.between(1, 2)}` } : {};
    const again = random.chance(0.15) ? { againMs: random.between(0, 200 * SECOND_MS) } : {};
    const sent = { ...arrival, ...source, ...again };
    if (!random.chance(0.15)) return [sent];
    number += 1;
    const form = random.pick(['plain', 'base64'] as const);
    const atMs = arrival.atMs + random.between(0, 120 * SECOND_MS);
    return [sent, { ...arrival, ...source, number, atMs, form, namesake: arrival.number }];
  });
}

/** So many destinations have one, in so many of the runs. */
const CUTOVER_SHARE = 0.2;

/** Drawn apart from all others. The time is close to an arrival, since only then it can come between two of its tries. */
function withCutovers(plan: Plan, random: Random): Plan {
  if (!random.chance(CUTOVER_SHARE)) return plan;
  const lastMs = Math.max(...plan.arrivals.map(({ atMs }) => atMs));
  const destinations = plan.destinations.map((destination): DestinationPlan => {
    if (!random.chance(0.7)) return destination;
    const times = plan.arrivals.filter(({ destination: name }) => name === destination.name).map(({ atMs }) => atMs);
    const middleMs = times.length === 0 ? lastMs / 2 : random.pick(times);
    // Between a direct try and the queue there is a second at most, and what the clock of the function is wrong by.
    const unitMs = destination.webhook === 'direct-else-queued' ? 50 : SECOND_MS;
    const sinceMs = Math.max(0, Math.round(middleMs + random.between(-3, 60) * unitMs));
    const share = random.pick([10, 50, 100, 100]);
    const change = {
      atMs: Math.round(sinceMs + random() * (lastMs - sinceMs) + MINUTE_MS),
      ...random.pick([
        { to: { sinceMs, share: 100 } },
        { to: { sinceMs: sinceMs + 10 * MINUTE_MS, share } },
        { to: undefined },
      ]),
    };
    const client = `${destination.client}-new`;
    const cutover = { sinceMs, share, client, csrf: random.chance(0.3), ...(random.chance(0.5) ? { change } : {}) };
    return { ...destination, cutover };
  });
  const moved = plan.faults.map((fault) => {
    const isOfSide = ['node: flow', 'node: role', 'secret: '].some((kind) => fault.kind.startsWith(kind));
    const hasSides = destinations.some(({ name, cutover }) => name === fault.destination && cutover !== undefined);
    return isOfSide && hasSides && random.chance(0.5) ? { ...fault, destination: newSideOf(fault.destination) } : fault;
  });
  const downs = Array.from({ length: random.pick([0, 1, 2]) }, () => {
    const fromMs = random.between(0, lastMs);
    const toMs = fromMs + random.pick([1, 10, 60]) * MINUTE_MS;
    const seed = random.between(0, 2 ** 31);
    return { kind: random.pick(SIDES_DOWN), fromMs, toMs, share: random.pick([0.3, 1]), seed, destination: '' };
  });
  // What is queued after a direct try shows whether it keeps its side: the old side is down over the time of the cut-over.
  const overSince = destinations.flatMap(({ webhook, cutover }) => {
    if (webhook !== 'direct-else-queued' || cutover === undefined || !random.chance(0.7)) return [];
    const { sinceMs } = cutover;
    const fromMs = Math.max(0, sinceMs - MINUTE_MS);
    return [
      { kind: 'node: old side down', fromMs, toMs: sinceMs + MINUTE_MS, share: 1, seed: plan.seed, destination: '' },
    ];
  });
  return { ...plan, destinations, faults: [...moved, ...downs, ...overSince] };
}

/** For as long as it takes to come to every socket of an environment. */
function withEarlyAnswers(plan: Plan): Plan {
  const random = createChance(plan.seed)('early answers');
  const destination = plan.arrivals.at(0)?.destination;
  if (destination === undefined || !random.chance(EARLY_SHARE)) return plan;
  const fault = {
    kind: ANSWERED_EARLY,
    fromMs: 0,
    toMs: random.pick([1, 10, 60]) * MINUTE_MS,
    share: random.pick([0.3, 0.6, 1]),
    seed: random.between(0, 2 ** 31),
    destination,
  };
  return { ...plan, faults: [fault, ...plan.faults] };
}

function drawShortPlan(seed: number, messages: number | undefined): Plan {
  const random = createChance(seed)('plan');
  const environment = random.pick(['cf', 'cf', 'neo'] as const);
  const destinations = drawDestinations(random);
  const spanMs = random.pick([2, 10, 30, 90, 240, 1_440]) * MINUTE_MS;
  return {
    seed,
    environment,
    tokenLifetimeSeconds: random.pick([120, 600, 3_600, 3_600, 43_200]),
    expiredTokenStatus: random.chance(0.2) ? 500 : 401,
    workers: random.between(1, 3),
    keepAliveMs: random.pick([2_000, 5_000, 20_000, 60_000]),
    idleMs: random.pick([1, 5, 15, 45, 45]) * MINUTE_MS,
    shuffle: random.chance(0.5),
    destinations,
    faults: [...drawFaults(destinations, spanMs, random), ...drawMove(seed, spanMs)],
    arrivals: drawArrivals(destinations, spanMs, messages, random),
  };
}

function drawDestinations(random: Random): DestinationPlan[] {
  const names = ['orders', 'invoices', 'stock', 'prices'].slice(0, random.between(1, 4));
  const shared = random.chance(0.4);
  const sharedUseSeconds = random.pick([60, 900, 7_200]);
  return names.map((name, index) => {
    const fifo = random.chance(0.5);
    return {
      name,
      fifo,
      webhook: random.chance(0.4) ? random.pick(['direct', 'queued', 'direct-else-queued'] as const) : undefined,
      client: shared ? 'shared' : `client-${index}`,
      tokenFormat: random.chance(0.7) ? 'jwt' : 'opaque',
      maxTokenUseSeconds: shared ? sharedUseSeconds : random.pick([60, 900, 7_200, 7_200]),
      csrf: random.chance(0.3),
      timeoutSeconds: random.pick([2, 5, 10, 30, 60]),
      concurrency: random.pick([1, 3, 10]),
      retryForHours: random.pick([1, 1, 3, 24]),
      batchSize: random.pick([1, 5, 10]),
      maximumConcurrency: random.pick([2, 2, 5]),
      deadLetterQueue: random.chance(0.95),
      flow: {
        csrfProtected: random.chance(0.5),
        runtime: random.pick([6, 8] as const),
        returnMplId: random.chance(0.5),
      },
    };
  });
}

function drawArrivals(
  destinations: readonly DestinationPlan[],
  spanMs: number,
  messages: number | undefined,
  random: Random,
): Arrival[] {
  const drawn = random.pick([20, 40, 80, 160]);
  const count = messages ?? drawn;
  const bursts = Array.from({ length: random.between(1, 12) }, () => random.between(0, spanMs));
  const groups = random.between(1, 6);
  const moments = Array.from({ length: count }, () =>
    random.chance(0.6) ? random.pick(bursts) : random.between(0, spanMs),
  );
  return moments
    .sort((one, other) => one - other)
    .map((atMs, index) => {
      const { name, fifo, webhook } = random.pick(destinations);
      const via = webhook !== undefined && random.chance(0.6) ? 'webhook' : 'queue';
      return {
        number: index + 1,
        atMs,
        destination: name,
        via,
        ...(fifo ? { group: `g${random.between(1, groups)}` } : {}),
        form: drawForm(random),
        verdict: random.chance(0.93) ? random.pick([200, 200, 202, 204]) : random.pick([400, 409, 410, 413, 415, 422]),
        exceptions: random.chance(0.05) ? random.between(1, 3) : 0,
      };
    });
}

function drawForm(random: Random): Form {
  if (random.chance(0.6)) return 'plain';
  return random.pick([
    'with id',
    'with id',
    'with id',
    'base64',
    'empty',
    'in S3',
    'unreadable',
    'missing in S3',
    'unsendable header',
    'unlisted header',
  ]);
}

/** So often the authorization server moves, for some hours. */
const MOVE_SHARE = 0.05;

function drawMove(seed: number, spanMs: number): FaultPlan[] {
  const random = createChance(seed)('move');
  if (!random.chance(MOVE_SHARE)) return [];
  const fromMs = random.between(0, spanMs);
  const toMs = Math.round(fromMs + random.pick([1, 2, 4]) * 60 * MINUTE_MS);
  return [{ kind: SERVER_MOVED, fromMs, toMs, share: 1, seed, destination: '' }];
}

function drawFaults(destinations: readonly DestinationPlan[], spanMs: number, random: Random): FaultPlan[] {
  const kinds = Object.keys(FAULTS).filter(
    (kind) => ![ANSWERED_EARLY, SERVER_MOVED, SLOW_FLOW, ...SIDES_DOWN].includes(kind),
  );
  const count = random.pick([0, 2, 4, 8, 12]);
  return Array.from({ length: count }, () => {
    const fromMs = random.between(0, spanMs);
    const lastsMs = random.pick([1, 5, 30, 120, 600, 3_600, 14_400]) * SECOND_MS * (0.5 + random());
    return {
      kind: random.pick(kinds),
      fromMs,
      toMs: Math.round(fromMs + lastsMs),
      share: random.pick([0.05, 0.2, 0.5, 1]),
      seed: random.between(0, 2 ** 31),
      destination: random.pick(destinations).name,
    };
  });
}
