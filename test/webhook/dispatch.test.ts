/** What becomes of a webhook's message by its mode: where it goes, in what time, and what is logged of it. */

import { describe, expect, test } from 'vitest';
import { startWithin } from '../../functions/deadline.ts';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { WebhookSettings } from '../../functions/settings/destination.ts';
import { dispatch } from '../../functions/webhook/dispatch.ts';
import type { Enqueued } from '../../functions/webhook/enqueue.ts';
import type { WebhookRoute } from '../../functions/webhook/routes.ts';
import { answer, EXCEPTION, MPL_ID } from '../doubles/answer.ts';
import { messageOf } from '../doubles/message.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';

type Mode = WebhookSettings['mode'];
/** `resent`: where its request went out again. */
type Fate = (HttpAnswer & { readonly resent?: true }) | RelayError;

interface Given {
  readonly mode: Mode;
  /** What the endpoint answers, call by call; the last for all that follow. */
  readonly fates: readonly Fate[];
  readonly noToken?: RelayError;
  readonly enqueued?: Enqueued;
  readonly remainingMs?: number;
  /** Of a cut-over, epoch ms; the time passes while the flow is called. Default: there is none. */
  readonly since?: number;
}

const FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:webhook';
const NO_CONNECTION = new RelayError('CONNECTION_FAILED', 'refused');
const RESET = new RelayError('CONNECTION_FAILED', 'reset', { executed: 'unknown' });
const TIMED_OUT = new RelayError('TIMED_OUT', 'no answer', { executed: 'unknown' });

/** @returns what became of it, in which order it went where, and the time that each had */
async function hand({ mode, fates, noToken, enqueued = 'queued', remainingMs = 27_000, since }: Given) {
  const time = createSimulatedTime(NOON);
  const went: string[] = [];
  const tokens = ['one', 'two'];
  const left = [...fates];
  const deadline = startWithin(remainingMs, time);
  const telemetry = quietTelemetry({
    attempted: ({ outcome, side }) => went.push(['told', outcome, side].filter(Boolean).join(' ')),
  });
  const token = createEndpointToken(
    warmTokens({
      get: async () => {
        if (noToken) throw noToken;
        return tokenOf(tokens.shift() ?? 'more');
      },
      renew: async (one) => one,
    }),
    time.now,
  );
  const flow = (name: string): WebhookRoute['route'] => ({
    token,
    adapter: {
      exchange: async (_message, _token, { remainingMs: callMs }, { onCall, onResend }) => {
        went.push(`${name} ${callMs()}`);
        onCall();
        if (since !== undefined) time.moveTo(since + 1);
        const fate = (left.length > 1 ? left.shift() : left[0]) ?? NO_CONNECTION;
        if (fate instanceof RelayError) throw fate;
        if ('resent' in fate) onResend();
        return { answer: fate, reachedFlow: true };
      },
    },
    now: time.now,
  });
  const result = await dispatch(
    messageOf(),
    {
      destination: 'orders',
      webhook: { mode } as WebhookSettings,
      forwardHeaders: [],
      verifiers: [],
      route: flow('flow'),
      ...(since !== undefined && {
        newSide: flow('new flow'),
        sideOf: (_message, cameInAt) => (cameInAt < since ? 'old' : 'new'),
      }),
      enqueue: async ({ cameInAt }, _origin, { remainingMs: queueMs }) => {
        went.push(['queue', cameInAt === NOON ? 'at noon' : cameInAt, queueMs()].filter(Boolean).join(' '));
        return enqueued;
      },
    },
    { origin: { eventSource: '', functionArn: FUNCTION_ARN }, deadline, telemetry, clock: time },
  );
  return { result, went };
}

describe('Mode queued', () => {
  test('mode queued calls nothing but the queue, with all the time there is', async () => {
    expect(await hand({ mode: 'queued', fates: [] })).toEqual({ result: 'queued', went: ['queue 27000'] });
  });
});

describe('Mode direct', () => {
  test.each([answer(503), NO_CONNECTION, answer(404)])('mode direct never calls the queue', async (fate) => {
    const { went } = await hand({ mode: 'direct', fates: [fate] });
    expect(went[0]).toBe('flow 27000');
    expect(went.filter((where) => where.startsWith('queue'))).toEqual([]);
  });
});

describe('Mode direct-else-queued', () => {
  const mode = 'direct-else-queued';

  test.each<[string, Fate]>([
    ['refuses the connection', NO_CONNECTION],
    ['rejects the new token, too', answer(401)],
    ['misses a role', answer(403)],
    ['is not there', answer(404)],
    ['takes another method', answer(405)],
    ['redirects', answer(302)],
    ['redirects for good', answer(308)],
    ['takes no more now', answer(429)],
    ['takes nothing so early', answer(425)],
    ['is down for maintenance', answer(503)],
  ])('mode direct-else-queued stores what an endpoint cannot have seen that %s', async (_, fate) => {
    const { result, went } = await hand({ mode, fates: [fate] });
    expect(result).toBe('queued');
    expect(went.at(-1)).toBe('queue 27000');
  });

  test.each<[string, RelayError]>([
    ['refused', new RelayError('TOKEN_REFUSED', 'no')],
    ['not to be had now', new RelayError('TOKEN_UNAVAILABLE', 'no')],
    ['not to be had in time', new RelayError('DEADLINE', 'no')],
    ['not to be had without its secret', new RelayError('SECRET_MALFORMED', 'no')],
  ])('mode direct-else-queued stores a message without a token, since it is %s', async (_, noToken) => {
    expect(await hand({ mode, fates: [], noToken })).toMatchObject({ result: 'queued' });
  });

  test.each<[string, Fate]>([
    ['answers 200', answer(200)],
    ['answers 500', answer(500)],
    ['answers 502', answer(502)],
    ['answers 504', answer(504)],
    ['answers 408', answer(408)],
    ['answers 503 with an MPL id', answer(503, EXCEPTION)],
    ['answers what nobody knows', answer(418)],
    ['breaks the connection', RESET],
    ['does not answer', TIMED_OUT],
    ['is cut off by the deadline', new RelayError('DEADLINE', 'over', { executed: 'unknown' })],
    ['refuses on a second send that nobody asked for', { ...answer(503), resent: true }],
    ['redirects on a second send that nobody asked for', { ...answer(302), resent: true }],
    ['will never take it: 400', answer(400)],
    ['will never take it: 413', answer(413)],
    ['will never take it: 422', answer(422)],
  ])(
    'mode direct-else-queued stores nothing where the flow may have run or a retry cannot help: it %s',
    async (_, fate) => {
      const { result, went } = await hand({ mode, fates: [fate] });
      expect(result).toMatchObject({ executed: expect.anything() });
      expect(went.filter((where) => where.startsWith('queue'))).toEqual([]);
    },
  );

  test.each([302, 308, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504])(
    'mode direct-else-queued stores nothing that the flow has answered with %i: it has run',
    async (status) => {
      for (const marked of [answer(status, EXCEPTION), answer(status, '', { sap_messageprocessinglogid: MPL_ID })]) {
        const { result, went } = await hand({ mode, fates: [marked] });
        expect(result).toMatchObject({ executed: 'unknown', status });
        expect(went.filter((where) => !where.startsWith('told'))).toEqual(['flow 24000']);
      }
    },
  );

  test('mode direct-else-queued does not store what the first call lost and the second refused', async () => {
    const { result } = await hand({ mode, fates: [answer(401), RESET] });
    expect(result).toMatchObject({ kind: 'failed', executed: 'unknown' });
  });

  test('mode direct-else-queued logs the attempt before the message is stored', async () => {
    const { went } = await hand({ mode, fates: [answer(503)] });
    expect(went).toEqual(['flow 24000', 'told failed', 'queue 27000']);
  });

  test.each([
    [27_000, 24_000],
    [12_000, 9_000],
    [8_000, 6_000],
    [2_400, 1_800],
  ])(
    'mode direct-else-queued of %i ms leaves the call %i: storing takes its time, too',
    async (remainingMs, callMs) => {
      const { went } = await hand({ mode, fates: [answer(503)], remainingMs });
      expect(went[0]).toBe(`flow ${callMs}`);
    },
  );

  test('mode direct-else-queued says so where the queue does not take the message either', async () => {
    expect(await hand({ mode, fates: [answer(404)], enqueued: 'unavailable' })).toMatchObject({
      result: 'unavailable',
    });
  });

  test('mode direct-else-queued keeps the answer for what no queue can hold: a retry may help', async () => {
    const { result } = await hand({ mode, fates: [answer(503)], enqueued: 'too-large' });
    expect(result).toMatchObject({ kind: 'failed', status: 503 });
  });
});

describe('A cut-over', () => {
  test('a cut-over sends a direct call to the side of the time at which it came in', async () => {
    const before = await hand({ mode: 'direct', fates: [answer(200)], since: NOON + 1 });
    expect(before.went).toEqual(['flow 27000', 'told delivered old']);
    const after = await hand({ mode: 'direct', fates: [answer(200)], since: NOON });
    expect(after.went).toEqual(['new flow 27000', 'told delivered new']);
  });

  test('a cut-over that comes between a direct try and the queue does not take the message along', async () => {
    const { went } = await hand({ mode: 'direct-else-queued', fates: [answer(503)], since: NOON + 1 });
    expect(went).toEqual(['flow 24000', 'told failed old', expect.stringMatching(/^queue at noon /)]);
  });

  test('a cut-over has the time at which it came in with what is queued untried: SQS may take two copies', async () => {
    const { went } = await hand({ mode: 'queued', fates: [], since: NOON + 1 });
    expect(went).toEqual(['queue at noon 27000']);
  });
});
