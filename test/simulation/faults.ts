/**
 * Everything that goes wrong: faults that hit one call in so many, and states of the systems that last for a while.
 * Each is caused at a system or on the way to it, and counted when it takes effect.
 */
import type { Queue } from '../../infra/local/aws/sqs/sqs.ts';
import {
  nginxPage,
  serviceUnavailable,
  tomcatPage,
  tooManyRequests,
  unknownRoute,
} from '../../infra/local/sap/front.ts';
import type { Answer } from '../../infra/local/server/server.ts';
import { createRandom, type Random } from '../doubles/random.ts';
import type { Authorization } from './authorization.ts';
import type { Call, CallFate } from './aws-client.ts';
import type { Exchange, Fate } from './network.ts';
import { type FaultPlan, isNewSide } from './plan.ts';
import type { RuntimeNode } from './runtime-node.ts';

export type Giver<Subject, Result> = (subject: Subject) => Result | undefined;

/** What faults are caused at. */
export interface Faulted {
  readonly onCalls: {
    readonly node: Set<Giver<Exchange, Fate>>;
    readonly token: Set<Giver<Exchange, Fate>>;
    readonly aws: Set<Giver<Call, CallFate>>;
    /** Of the invocations themselves. */
    readonly invoke: Set<Giver<object, 'not invoked' | 'result lost'>>;
    /** Of the deletions that follow a reply. */
    readonly deletion: Set<Giver<string, 'refused'>>;
  };
  readonly authorization: Authorization;
  readonly node: RuntimeNode;
  readonly secrets: SecretTroubles;
  readonly clientOf: (destination: string) => string;
  readonly queueOf: (destination: string) => Queue;
  readonly deadLetterQueueOf: (destination: string) => Queue | undefined;
  /** Undefined: as it should be. */
  readonly setVisibility: (destination: string, seconds: number | undefined) => void;
  readonly denyAccess: (queue: Queue, on: boolean) => void;
  readonly setClockSkew: (aheadMs: number) => void;
  readonly kill: (pick: number, atLeave: number) => boolean;
  readonly recycle: () => void;
  /** The operator puts the destination's dead letters back. */
  readonly replay: (destination: string) => void;
  /** Whether the event source mapping of the destination's queue is enabled. */
  readonly setPolling: (destination: string, on: boolean) => void;
  readonly denyListing: (on: boolean) => void;
  readonly deliverAgain: (queue: Queue, messageId: string) => void;
  readonly repeat: (everyMs: number, run: () => void) => () => void;
}

/** What may be wrong with a client's secret in Secrets Manager. */
export interface SecretTroubles {
  /** Puts what SAP knows now. */
  store(client: string): void;
  /**
   * The authorization server is at another host from now on, or back, and every secret says so.
   * @returns where it was
   */
  move(isMoved: boolean): string;
  /** Puts a new client secret that SAP learns of later, by the function that is returned. */
  storeAhead(client: string): () => void;
  storeMalformed(client: string): void;
  setTrouble(client: string, trouble: 'access denied' | 'key disabled' | 'marked for deletion', on: boolean): void;
}

/** Drawn apart from all others, so that it changes none of their draws. */
export const SERVER_MOVED = 'token: server moved';

interface Fault {
  /** @returns what ends it, where it lasts */
  begin(world: Faulted, plan: FaultPlan, count: () => void): (() => void) | undefined;
}

const NOTHING = () => undefined;

/** Drawn apart from the others. */
export const ANSWERED_EARLY = 'node: answered early';

/** Of the alarms' tests alone. */
export const SLOW_FLOW = 'node: 100 s';

/** Drawn apart from the others, for plans with a cut-over. */
export const SIDES_DOWN = ['node: old side down', 'node: new side down'];

export const FAULTS: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    SIDES_DOWN.map((name) => [
      name,
      onCalls('node', (_, exchange) => {
        const isNew = isNewSide((exchange as Exchange).path.split('?')[0] ?? '');
        return isNew === (name === 'node: new side down') ? front(serviceUnavailable()) : undefined;
      }),
    ]),
  ),
  ...nodeFate('node: refused', 'refused'),
  ...nodeFate('node: unreachable', 'unreachable'),
  ...nodeFate('node: reset before', 'reset before'),
  ...nodeFate('node: lost before', 'lost before'),
  ...nodeFate('node: reset after', 'reset after'),
  ...nodeFate('node: half answer', 'half answer'),
  ...nodeFate('node: stalled answer', 'stalled answer'),
  ...nodeFate('node: lost after', 'lost after'),
  ...nodeFate('node: slow', (random) => ({ slowMs: random.pick([100, 1_000, 4_000, 20_000, 70_000]) })),
  ...nodeFate(SLOW_FLOW, { slowMs: 100_000 }),
  ...nodeFate('node: 503', front(serviceUnavailable())),
  ...nodeFate('node: 503 with Retry-After', (random) =>
    front(serviceUnavailable({ retryAfterSeconds: random.pick([1, 30, 1_000]) })),
  ),
  ...nodeFate('node: 429', (random) => front(tooManyRequests({ retryAfterSeconds: random.pick([1, 10, 120]) }))),
  ...nodeFate('node: 5xx', (random) => front(nginxPage(random.pick([500, 502, 504, 507]), 'Simulated'))),
  ...nodeFate('node: 4xx', (random) => front(nginxPage(random.pick([402, 408, 418, 425, 431, 499]), 'Simulated'))),
  ...nodeFate('node: 404', front(unknownRoute('simulated'))),
  ...nodeFate('node: 405', front(tomcatPage(405, 'Method Not Allowed'))),
  ...nodeFate('node: 401', front(tomcatPage(401, 'Unauthorized'))),
  ...nodeFate('node: 403', front(tomcatPage(403, 'Forbidden'))),
  ...nodeFate('node: redirect', front({ status: 302, headers: { Location: 'https://elsewhere.example/' } })),
  ...nodeFate(ANSWERED_EARLY, (random) => ({ early: nginxPage(random.pick([401, 500, 502, 503]), 'Simulated') })),
  ...tokenFate('token: refused', 'refused'),
  ...tokenFate('token: unreachable', 'unreachable'),
  ...tokenFate('token: reset before', 'reset before'),
  ...tokenFate('token: reset after', 'reset after'),
  ...tokenFate('token: half answer', 'half answer'),
  ...tokenFate('token: lost after', 'lost after'),
  ...tokenFate('token: slow', (random) => ({ slowMs: random.pick([100, 2_000, 9_000, 15_000]) })),
  ...tokenFate('token: 408', front({ status: 408 })),
  ...tokenFate('token: 429', (random) => front(tooManyRequests({ retryAfterSeconds: random.pick([1, 5, 60]) }))),
  ...tokenFate('token: 429 plain', front({ status: 429 })),
  ...tokenFate('token: 5xx', (random) => front(nginxPage(random.pick([500, 502, 503, 504]), 'Simulated'))),
  ...tokenFate('token: 400', front(json(400, { error: 'invalid_request' }))),
  ...tokenFate('token: 401', front(json(401, { error: 'invalid_client' }))),
  ...tokenFate('token: 403', front(json(403, { error: 'access_denied' }))),
  ...tokenFate('token: HTML', front(nginxPage(200, 'Maintenance'))),
  ...tokenFate('token: no token', front(json(200, { token_type: 'bearer' }))),
  ...tokenFate('token: redirect', front({ status: 302, headers: { Location: 'https://elsewhere.example/' } })),
  ...awsFate('secret: throttled', 'secrets', 'throttled'),
  ...awsFate('secret: refused', 'secrets', 'refused'),
  ...awsFate('secret: lost', 'secrets', 'lost before'),
  ...awsFate('secret: slow', 'secrets', { slowMs: 3_000 }),
  ...awsFate('sqs: throttled', 'sqs', 'throttled'),
  ...awsFate('sqs: refused', 'sqs', 'refused'),
  ...awsFate('sqs: lost before', 'sqs', 'lost before'),
  ...awsFate('sqs: lost after', 'sqs', 'lost after'),
  ...awsFate('sqs: slow', 'sqs', { slowMs: 1_500 }),
  ...awsFate('s3: throttled', 's3', 'throttled'),
  ...awsFate('s3: refused', 's3', 'refused'),
  ...awsFate('s3: lost', 's3', 'lost before'),
  ...awsFate('s3: slow', 's3', { slowMs: 2_000 }),
  's3: listing denied': lasting(({ denyListing }) => {
    denyListing(true);
    return () => denyListing(false);
  }),
  'lambda: not invoked': onCalls('invoke', () => 'not invoked'),
  'lambda: result lost': onCalls('invoke', () => 'result lost'),
  'queue: deletion refused': onCalls('deletion', () => 'refused'),
  'lambda: killed': repeated(2_000, ({ kill }, random) => kill(random(), random.between(1, 40))),
  'lambda: recycled': repeated(60_000, ({ recycle }) => {
    recycle();
    return true;
  }),
  'queue: delivered again': repeated(3_000, ({ queueOf, deliverAgain }, random, { destination }) => {
    const queue = queueOf(destination);
    if (queue.fifo || queue.size === 0) return false;
    deliverAgain(queue, random.pick(queue.messages).id);
    return true;
  }),
  'queue: not polled': lasting(({ setPolling }, { destination }) => {
    setPolling(destination, false);
    return () => setPolling(destination, true);
  }),
  'queue: visibility too short': lasting(({ setVisibility }, { destination }, random) => {
    setVisibility(destination, random.pick([2, 10, 60]));
    return () => setVisibility(destination, undefined);
  }),
  'queue: dead-letter queue denied': lasting(({ deadLetterQueueOf, denyAccess }, { destination }) => {
    const queue = deadLetterQueueOf(destination);
    if (queue === undefined) return NOTHING;
    denyAccess(queue, true);
    return () => denyAccess(queue, false);
  }),
  'operator: replay': repeated(60_000, ({ replay }, _, { destination }) => {
    replay(destination);
    return true;
  }),
  'node: CSRF sessions dropped': repeated(5_000, ({ node }) => {
    node.dropCsrfSessions();
    return true;
  }),
  'node: flow undeployed': lasting(({ node }, { destination }) => {
    node.deploy(destination, false);
    return () => node.deploy(destination, true);
  }),
  'node: role taken away': lasting(({ authorization, clientOf }, { destination }) => {
    const client = clientOf(destination);
    authorization.assignRole(client, false);
    return () => authorization.assignRole(client, true);
  }),
  'token: key rotated': repeated(20_000, ({ authorization: { server } }) => {
    server.rotateSigningKey();
    return true;
  }),
  'token: all expired': repeated(20_000, ({ authorization: { server } }) => {
    server.expireAllTokens();
    return true;
  }),
  'token: same again': lasting(({ authorization: { server } }) => {
    server.issueSameTokenAgain(true);
    return () => server.issueSameTokenAgain(false);
  }),
  'token: same again, refused': {
    begin(world, plan, count) {
      world.authorization.server.issueSameTokenAgain(true);
      const end = onCalls('node', () => front(tomcatPage(401, 'Unauthorized'))).begin(world, plan, count);
      return () => {
        world.authorization.server.issueSameTokenAgain(false);
        end?.();
      };
    },
  },
  'token: expires_in 0': lasting(({ authorization: { server } }) => {
    server.setExpiresIn(0);
    return () => server.setExpiresIn('true');
  }),
  'token: expires_in absent': lasting(({ authorization: { server } }) => {
    server.setExpiresIn('absent');
    return () => server.setExpiresIn('true');
  }),
  'token: clock off': lasting(({ setClockSkew }, _, random) => {
    setClockSkew(random.pick([-600_000, -30_000, 30_000, 600_000, 7_200_000]));
    return () => setClockSkew(0);
  }),
  [SERVER_MOVED]: {
    begin({ onCalls: { token }, secrets }, _plan, count) {
      const former = secrets.move(true);
      const giver = ({ host }: Exchange): Fate | undefined => {
        if (host !== former) return undefined;
        count();
        return 'refused';
      };
      token.add(giver);
      return () => {
        token.delete(giver);
        secrets.move(false);
      };
    },
  },
  'secret: rotated': once(({ authorization, secrets, clientOf }, { destination }) => {
    authorization.account.rotateClientSecret(clientOf(destination));
    secrets.store(clientOf(destination));
  }),
  'secret: rotated, tokens expired': once(({ authorization, secrets, clientOf }, { destination }) => {
    authorization.account.rotateClientSecret(clientOf(destination));
    authorization.server.expireAllTokens();
    secrets.store(clientOf(destination));
  }),
  'secret: stored late': lasting(({ authorization, secrets, clientOf }, { destination }) => {
    authorization.account.rotateClientSecret(clientOf(destination));
    authorization.server.expireAllTokens();
    return () => secrets.store(clientOf(destination));
  }),
  'secret: stored ahead': lasting(({ secrets, clientOf }, { destination }) =>
    secrets.storeAhead(clientOf(destination)),
  ),
  'secret: malformed': lasting(({ secrets, clientOf }, { destination }) => {
    secrets.storeMalformed(clientOf(destination));
    return () => secrets.store(clientOf(destination));
  }),
  ...secretTrouble('access denied'),
  ...secretTrouble('key disabled'),
  ...secretTrouble('marked for deletion'),
};

function secretTrouble(trouble: Parameters<SecretTroubles['setTrouble']>[1]): Record<string, Fault> {
  return {
    [`secret: ${trouble}`]: lasting(({ secrets, clientOf }, { destination }) => {
      secrets.setTrouble(clientOf(destination), trouble, true);
      return () => secrets.setTrouble(clientOf(destination), trouble, false);
    }),
  };
}

function nodeFate(name: string, fate: Fate | ((random: Random) => Fate)): Record<string, Fault> {
  return { [name]: onCalls('node', (random) => (typeof fate === 'function' ? fate(random) : fate)) };
}

function tokenFate(name: string, fate: Fate | ((random: Random) => Fate)): Record<string, Fault> {
  return { [name]: onCalls('token', (random) => (typeof fate === 'function' ? fate(random) : fate)) };
}

function awsFate(name: string, service: Call['service'], fate: CallFate): Record<string, Fault> {
  return { [name]: onCalls('aws', (_, call) => ((call as Call).service === service ? fate : undefined)) };
}

function front(answer: Answer): Fate {
  return { front: answer };
}

function json(status: number, body: object): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

/** Hits a share of the calls while it lasts. */
function onCalls(
  border: keyof Faulted['onCalls'],
  fate: (random: Random, subject: unknown) => Fate | CallFate | string | undefined,
): Fault {
  return {
    begin({ onCalls: borders }, { share, seed }, count) {
      const random = createRandom(seed);
      const givers = borders[border] as Set<Giver<unknown, unknown>>;
      const giver = (subject: unknown) => {
        if (!random.chance(share)) return undefined;
        const given = fate(random, subject);
        if (given !== undefined) count();
        return given;
      };
      givers.add(giver);
      return () => givers.delete(giver);
    },
  };
}

/** A state, once. */
function once(begin: (world: Faulted, plan: FaultPlan) => void): Fault {
  return lasting((world, plan) => {
    begin(world, plan);
    return NOTHING;
  });
}

/** A state that lasts until what is returned is called. */
function lasting(begin: (world: Faulted, plan: FaultPlan, random: Random) => () => void): Fault {
  return {
    begin(world, plan, count) {
      count();
      return begin(world, plan, createRandom(plan.seed));
    },
  };
}

/** Happens again and again while it lasts; counted when it had something to hit. */
function repeated(everyMs: number, hit: (world: Faulted, random: Random, plan: FaultPlan) => boolean): Fault {
  return {
    begin(world, plan, count) {
      const random = createRandom(plan.seed);
      const strike = () => {
        if (hit(world, random, plan)) count();
      };
      strike();
      return world.repeat(everyMs, strike);
    },
  };
}
