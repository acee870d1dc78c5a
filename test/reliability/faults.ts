/**
 * Everything that goes wrong in a run: faults that hit one call in so many, and states of the landscape that last for a
 * while. All are caused at the emulated systems; each is counted when it takes effect.
 */
import type { Deployed, Landscape, LocalDestination } from '../../infra/local/landscape.ts';
import { nginxPage, serviceUnavailable, tomcatPage, tooManyRequests } from '../../infra/local/sap/front.ts';
import type { Fault, LocalServer, Request } from '../../infra/local/server/server.ts';
import type { Random } from '../doubles/random.ts';

/** Where faults are caused. */
export interface World {
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  readonly standard: LocalDestination;
  readonly fifo: LocalDestination;
  readonly random: Random;
  /** Counts a fault that took effect. */
  readonly count: (name: string) => void;
  /** Told of a call of the runtime node that is cut: the flow may run on it. */
  readonly interrupted: (messageId: string) => void;
  /** Told of a call by which SQS may have done what the relay does not know of. */
  readonly unconfirmed: (messageId: string) => void;
  /** Kills a process of the queue function that is at work; false if none is. */
  readonly kill: () => boolean;
  /** Hands a message of the standard queue out once more. */
  readonly deliverAgain: () => void;
}

/** A state that lasts until the returned function ends it. */
export interface Trouble {
  readonly name: string;
  readonly begin: (world: World) => (() => void | Promise<void>) | Promise<() => void>;
  /** Afterwards processes remember a refusal for minutes; they are ended, as Lambda ends them in time. */
  readonly recycles?: true;
}

/** What a call of the runtime node may get in place of an answer, and in how many of all faults. */
const NODE_FAULTS: readonly (readonly [name: string, fault: Fault, weight: number])[] = [
  ['node: 503', serviceUnavailable(), 3],
  ['node: 503 with Retry-After', serviceUnavailable({ retryAfterSeconds: 5 }), 2],
  ['node: 502', nginxPage(502, 'Bad Gateway'), 2],
  ['node: 504', nginxPage(504, 'Gateway Time-out'), 2],
  ['node: 500 page', tomcatPage(500, 'Internal Server Error'), 2],
  ['node: 429', tooManyRequests({ retryAfterSeconds: 2 }), 2],
  ['node: 408', { status: 408 }, 1],
  ['node: 499', { status: 499 }, 1],
  ['node: 404', tomcatPage(404, 'Not Found'), 0.5],
  ['node: 302', { status: 302, headers: { Location: 'https://elsewhere.example/' } }, 0.5],
  ['node: reset before', 'reset-before', 3],
  ['node: reset after', 'reset-after', 3],
  ['node: half an answer', 'half-answer', 3],
  ['node: no answer', 'hang', 0.2],
];

/** Makes so many of the runtime node's calls fail, 0 to 1, until its server is healed. */
export function spoilCalls({ landscape, random, count, interrupted, kill }: World, share: number): void {
  const { server } = landscape.runtimeNode;
  const weights = NODE_FAULTS.reduce((sum, [, , weight]) => sum + weight, 0);
  for (const [name, fault, weight] of NODE_FAULTS) spoil(server, name, fault, (share * weight) / weights);
  // No fault of the node, but at this moment a process is at work for certain.
  const when = () => {
    if (random.chance(share / 10)) kill();
    return false;
  };
  server.fail({ fault: 'hang', times: Number.POSITIVE_INFINITY, when });

  function spoil(at: LocalServer, name: string, fault: Fault, chance: number): void {
    const hit = ({ headers }: Request) => {
      const isHit = hits(random.chance(chance), name, count);
      if (isHit && typeof fault === 'string') interrupted(headers.sap_applicationid ?? '');
      return isHit;
    };
    at.fail({ fault, times: Number.POSITIVE_INFINITY, when: hit });
  }
}

function hits(hit: boolean, name: string, count: World['count']): boolean {
  if (hit) count(name);
  return hit;
}

const tokenFault = (name: string, fault: Fault, times = 3): Trouble => ({
  name: `token: ${name}`,
  begin: ({ landscape: { authorizationServer }, count }) => {
    authorizationServer.expireAllTokens();
    const when = ({ method }: Request) => hits(method === 'POST', `token: ${name}`, count);
    authorizationServer.server.fail({ fault, times, when });
    return () => authorizationServer.server.heal();
  },
});

/** A share of the calls that reach SQS over the network; senders and the poller are in the process and not hit. */
const sqsFault = (name: string, fault: Fault, share: number): Trouble => ({
  name: `sqs: ${name}`,
  begin: ({ landscape: { sqsServer }, random, count, unconfirmed }) => {
    const when = ({ body }: Request) => {
      const hit = hits(random.chance(share), `sqs: ${name}`, count);
      if (hit) for (const id of idsIn(body)) unconfirmed(id);
      return hit;
    };
    sqsServer.fail({ fault, times: Number.POSITIVE_INFINITY, when });
    return () => sqsServer.heal();
  },
});

/** Of the letter that is being written. */
function idsIn(body: Buffer): string[] {
  const { MessageAttributes: attributes } = JSON.parse(body.toString()) as {
    MessageAttributes?: Readonly<Record<string, { StringValue?: string }>>;
  };
  const letter = attributes?.deadLetter?.StringValue;
  return letter === undefined ? [] : [(JSON.parse(letter) as { messageId: string }).messageId];
}

/** Secrets Manager is only asked by a process that is new. */
const secretFault = (name: string, begin: (world: World) => () => void): Trouble => ({
  name: `secrets: ${name}`,
  begin: async (world) => {
    await world.deployed.queueFunction.killEnvironments();
    return begin(world);
  },
});

/** Until its end every read is refused; those that were are counted. */
const secretState = (name: string, turn: (world: World, on: boolean) => void): Trouble =>
  secretFault(name, (world) => {
    const { reads } = world.landscape.secretsManager;
    const before = reads.length;
    turn(world, true);
    return () => {
      turn(world, false);
      for (const { status } of reads.slice(before)) if (status >= 400) world.count(`secrets: ${name}`);
    };
  });

const secretAnswer = (name: string, fault: Fault): Trouble =>
  secretFault(name, ({ landscape: { secretsManager }, count }) => {
    secretsManager.server.fail({ fault, times: 3, when: () => hits(true, `secrets: ${name}`, count) });
    return () => secretsManager.server.heal();
  });

const both = ({ standard, fifo }: World) => [standard, fifo];

/** They come one after the other in a random order, several at once. */
export const TROUBLES: readonly Trouble[] = [
  once('key rotated', ({ landscape }) => landscape.authorizationServer.rotateSigningKey()),
  once('all tokens expired', ({ landscape }) => landscape.authorizationServer.expireAllTokens()),
  once('CSRF sessions dropped', ({ landscape }) => landscape.runtimeNode.dropCsrfSessions()),
  once('client secret rotated', (world) => {
    for (const destination of both(world)) destination.rotateSecret();
    world.landscape.authorizationServer.expireAllTokens();
  }),
  {
    name: 'client secret rotated, stored later',
    recycles: true,
    begin: (world) => {
      world.count('client secret rotated, stored later');
      world.standard.rotateSecret({ store: false });
      world.landscape.authorizationServer.expireAllTokens();
      return () => world.standard.storeSecret();
    },
  },
  {
    name: 'role taken away',
    recycles: true,
    begin: (world) => {
      world.count('role taken away');
      const destination = world.random.pick(both(world));
      destination.unassignRole();
      world.landscape.authorizationServer.expireAllTokens();
      return () => destination.assignRole();
    },
  },
  {
    name: 'node down',
    begin: ({ landscape: { runtimeNode }, count }) => {
      count('node down');
      const stopped = runtimeNode.server.stop();
      return () => stopped.then(runtimeNode.server.start);
    },
  },
  {
    name: 'node slow',
    begin: ({ landscape: { runtimeNode }, count }) => {
      count('node slow');
      runtimeNode.server.slowDown(30);
      return () => runtimeNode.server.slowDown(0);
    },
  },
  {
    name: 'authorization server down',
    begin: ({ landscape: { authorizationServer }, count }) => {
      count('authorization server down');
      authorizationServer.expireAllTokens();
      const stopped = authorizationServer.server.stop();
      return () => stopped.then(authorizationServer.server.start);
    },
  },
  tokenFault('429', tooManyRequests({ retryAfterSeconds: 1 })),
  tokenFault('503', serviceUnavailable()),
  tokenFault('500 page', tomcatPage(500, 'Internal Server Error')),
  { ...tokenFault('a page in place of a token', nginxPage(200, 'OK')), recycles: true },
  tokenFault('reset before', 'reset-before'),
  tokenFault('reset after', 'reset-after'),
  tokenFault('half an answer', 'half-answer'),
  tokenFault('no answer', 'hang', 1),
  secretState('throttled', ({ landscape }, on) => landscape.secretsManager.throttle(on)),
  {
    ...secretState('access denied', ({ landscape, standard }, on) =>
      landscape.secretsManager.denyAccess(standard.secret, on),
    ),
    recycles: true,
  },
  {
    ...secretState('key disabled', ({ landscape, fifo }, on) => landscape.secretsManager.disableKey(fifo.secret, on)),
    recycles: true,
  },
  secretAnswer('500', { status: 500, body: '' }),
  secretAnswer('reset', 'reset-before'),
  sqsFault('500', { status: 500, body: '' }, 0.5),
  sqsFault('503', { status: 503, body: '' }, 1),
  sqsFault('reset before', 'reset-before', 0.4),
  sqsFault('reset after', 'reset-after', 0.4),
  sqsFault('half an answer', 'half-answer', 0.4),
  sqsFault('no answer', 'hang', 0.05),
  denial('queue denied', ({ queue }) => queue.name),
  denial('dead-letter queue denied', ({ deadLetterQueue }) => deadLetterQueue.name),
  {
    name: 'duplicates of SQS',
    begin: (world) => {
      for (let count = 0; count < 5; count += 1) world.deliverAgain();
      return () => undefined;
    },
  },
];

function once(name: string, cause: (world: World) => void): Trouble {
  return {
    name,
    begin: (world) => {
      world.count(name);
      cause(world);
      return () => undefined;
    },
  };
}

function denial(name: string, of: (destination: LocalDestination) => string): Trouble {
  return {
    name: `sqs: ${name}`,
    begin: (world) => {
      const deny = (on: boolean) => {
        for (const destination of both(world)) world.landscape.sqs.denyAccess(of(destination), on);
      };
      world.count(`sqs: ${name}`);
      deny(true);
      return () => deny(false);
    },
  };
}
