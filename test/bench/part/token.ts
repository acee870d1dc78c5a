/**
 * How often secret, token endpoint and endpoint are called: by 1,000 first calls at once, by 1,000 calls at once whose
 * token has just been revoked, and over a day of simulated traffic with tokens that live an hour.
 */
import type { Bench, PartResult } from '../part.ts';
import type { Counts } from '../servers/services.ts';
import type { Subject } from '../subject.ts';
import type { StepResult } from '../trial.ts';

const CALLS = 1_000;
const MINUTES_OF_A_DAY = 1_440;
/** For peers whose thousand sockets do not come to an end. */
const TIMEOUT_MS = 60_000;

/** Requests, and messages that did not arrive. */
interface Requests {
  readonly secret: number;
  readonly tokens: number;
  readonly endpoint: number;
  readonly undelivered: number;
}

interface Asked {
  readonly subject: Subject;
  readonly first: Requests;
  readonly afterRevocation: Requests;
  readonly day: Requests;
}

export async function token(bench: Bench): Promise<PartResult> {
  const { product, peers } = bench.subjects;
  const subjects = [product, ...peers];
  bench.progress.expect(2 * subjects.length);
  const asked: Asked[] = [];
  for (const subject of subjects) asked.push(await measure(bench, subject));
  const ours = asked.find(({ subject }) => subject === product);

  const row = ({ subject }: Asked, { secret, tokens, endpoint, undelivered }: Requests) => [
    subject.label,
    secret,
    tokens,
    endpoint,
    undelivered,
  ];
  const columns = ['', 'secret', 'token', 'endpoint', 'messages not delivered'];
  return {
    title: 'Tokens',
    tables: [
      { title: 'Requests at 1,000 first calls at once', columns, rows: asked.map((one) => row(one, one.first)) },
      {
        title: 'Requests at 1,000 calls at once, all answered 401: the token was revoked',
        columns,
        rows: asked.map((one) => row(one, one.afterRevocation)),
      },
      {
        title: 'Requests over a day: a message each minute, tokens of an hour',
        columns,
        rows: asked.map((one) => row(one, one.day)),
      },
    ],
    goals: [
      { figure: 'secret reads at 1,000 first calls', goal: 1, measured: ours?.first.secret ?? Number.NaN, unit: '' },
      { figure: 'token requests at 1,000 first calls', goal: 1, measured: ours?.first.tokens ?? Number.NaN, unit: '' },
      {
        figure: 'token requests at 1,000 401s',
        goal: 1,
        measured: ours?.afterRevocation.tokens ?? Number.NaN,
        unit: '',
      },
      {
        figure: 'messages not delivered in any of the three',
        goal: 0,
        measured: undelivered(ours),
        unit: '',
      },
    ],
    notes: [
      'Each call is an invocation of its own with one record, all in one process, as on Lambda Managed Instances or for a batch that is sent at once. A day passes by turning the clocks of function and servers on.',
      'openid-client, simple-oauth2 and axios have no token cache for this grant: what they show is the short code around them, in test/bench/peers. undici-oidc-interceptor and the SAP Cloud SDK show their own caches.',
      'The product renews a token at about half of its life, as SAP advises, so it asks twice an hour.',
    ],
  };
}

async function measure({ trial, world, progress }: Bench, subject: Subject): Promise<Asked> {
  const counts = { kind: 'control', path: '/counts' } as const;
  const options = { mayFail: true, timeoutMs: TIMEOUT_MS };
  await world.takeCounts();
  const storm = { kind: 'storm', calls: CALLS } as const;
  const revoke = { kind: 'control', path: '/revoke' } as const;
  const storms = await trial(subject, [storm, counts, revoke, storm, counts], options);
  progress.step();
  const back = { kind: 'control', path: '/clock?shiftMs=0' } as const;
  const day = await trial(subject, [back, { kind: 'day', times: MINUTES_OF_A_DAY, everyMs: 60_000 }, counts, back], {
    ...options,
    simulatedClock: true,
  });
  progress.step();
  // What arrived is counted where it arrives.
  const countsOf = (counted: StepResult | undefined, messages: number): Requests => {
    const { secret, token: tokens, endpoint, delivered } = counted as StepResult & Counts;
    return { secret, tokens, endpoint, undelivered: messages - delivered };
  };
  return {
    subject,
    first: countsOf(storms.steps[1], CALLS),
    afterRevocation: countsOf(storms.steps[4], CALLS),
    day: countsOf(day.steps[2], MINUTES_OF_A_DAY),
  };
}

function undelivered(ours: Asked | undefined): number {
  if (ours === undefined) return Number.NaN;
  return ours.first.undelivered + ours.afterRevocation.undelivered + ours.day.undelivered;
}
