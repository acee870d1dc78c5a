/** What the one log line of an attempt says of it, whoever made it. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { Message } from '../../functions/message/message.ts';
import type { PointedMessage } from '../../functions/message/queued.ts';
import type { CallListeners } from '../../functions/relay/adapter/adapter.ts';
import { type AttemptOptions, attemptDelivery } from '../../functions/relay/attempt.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { Exchange } from '../../functions/relay/outcome.ts';
import type { Route } from '../../functions/relay/relay.ts';
import type { AttemptLine } from '../../functions/telemetry/telemetry.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';

const LINE = { destination: 'orders', messageId: 'order-4711', attempt: 1, bytes: 99 };
const POINTED: PointedMessage = { id: 'order-4711', headers: {}, pointer: { bucket: 'b', key: 'k' } };
const NO_ROUTE = new RelayError('SETTING_INVALID', 'orders.secret: missing');

interface Given {
  readonly message?: Message | PointedMessage | RelayError;
  readonly route?: RelayError;
  readonly line?: Partial<Parameters<typeof attemptDelivery>[2]>;
  readonly status?: number;
  readonly takesMs?: number;
  readonly tokenAgeMs?: number;
  /** Whether the client sends it once more. */
  readonly isResent?: boolean;
  readonly sendPointed?: AttemptOptions['sendPointed'];
}

/** One attempt at noon, with a token that is a minute old unless told otherwise, at an endpoint that answers 200. */
async function attempt(given: Given = {}) {
  const { message = messageOf(), status = 200, takesMs = 40, tokenAgeMs = 60_000, isResent = false } = given;
  const { now, advance } = createSimulatedTime(NOON);
  const lines: AttemptLine[] = [];
  const token = tokenOf('a', { issuedAt: NOON - tokenAgeMs });
  const none = async () => Promise.reject(new RelayError('TOKEN_UNAVAILABLE', 'down'));
  const route: Route = {
    token: createEndpointToken(warmTokens({ get: async () => token, renew: none }), now),
    adapter: {
      async exchange(_message, _token, _deadline, { onCall, onResend }: CallListeners): Promise<Exchange> {
        onCall();
        if (isResent) onResend();
        advance(takesMs);
        return { answer: answer(status), reachedFlow: true };
      },
    },
    now,
  };
  const made = await attemptDelivery(
    message,
    given.route ?? route,
    { ...LINE, ...given.line },
    {
      deadline: deadlineOf(),
      telemetry: { attempted: (line) => lines.push(line) },
      now,
      ...(given.sendPointed === undefined ? {} : { sendPointed: given.sendPointed }),
    },
  );
  const [line, ...more] = lines;
  if (line === undefined) throw new Error('no line');
  expect(more).toEqual([]);
  return { made, line };
}

describe('A line', () => {
  test('the line of a delivery names what was sent, and neither a reason nor an age', async () => {
    const { line } = await attempt({ line: { sentAt: NOON - 90_000, firstReceivedAt: NOON - 60_000, attempt: 2 } });
    expect(line).toEqual({
      ...LINE,
      attempt: 2,
      outcome: 'delivered',
      executed: 'yes',
      status: 200,
      calls: 1,
      bytes: 14,
      durationMs: 40,
      token: 'warm',
      tokenAgeMs: 60_040,
    });
  });

  test.each([
    { status: 400, outcome: 'rejected', executed: 'unknown', ageSeconds: 90, triedForSeconds: undefined },
    { status: 404, outcome: 'blocked', executed: 'no', ageSeconds: 90, triedForSeconds: 60 },
    { status: 503, outcome: 'failed', executed: 'no', ageSeconds: 90, triedForSeconds: 60 },
  ])('the line of what is $outcome says why, and since when', async ({ status, ...told }) => {
    const { line } = await attempt({
      status,
      line: { sentAt: NOON - 90_000, firstReceivedAt: NOON - 60_000, attempt: 2 },
    });
    expect(line).toMatchObject({ ...told, reason: expect.stringContaining(`answered ${status}`) });
  });

  test.each([
    ['has none', {}],
    ['lies ahead of our clock', { sentAt: NOON + 3_600_000, firstReceivedAt: NOON + 3_600_000 }],
  ])('no age is told of a message whose time %s', async (_, times) => {
    const { line } = await attempt({ status: 503, line: { ...times, attempt: 2 } });
    expect([line.ageSeconds, line.triedForSeconds]).toEqual([undefined, undefined]);
  });

  test('an age begins at the very moment that the message was sent', async () => {
    const { line } = await attempt({ status: 503, takesMs: 0, line: { sentAt: NOON, firstReceivedAt: NOON } });
    expect(line).toMatchObject({ ageSeconds: 0, triedForSeconds: undefined });
  });

  test.each([
    { tokenAgeMs: -10, token: 'new' },
    { tokenAgeMs: 0, token: 'warm' },
  ])('a token that was issued during the attempt is $token only then', async ({ tokenAgeMs, token }) => {
    const { line } = await attempt({ tokenAgeMs });
    expect(line).toMatchObject({ token, tokenAgeMs: tokenAgeMs + 40 });
  });

  test.each([
    { status: 200, outcome: 'delivered' },
    { status: 503, outcome: 'failed' },
    { status: 400, outcome: 'rejected' },
  ])('a second send of what is then $outcome makes its outcome unknown', async ({ status, outcome }) => {
    const { line, made } = await attempt({ status, isResent: true });
    expect(line).toMatchObject({ outcome, executed: 'unknown', resent: true });
    expect('resent' in made.outcome).toBe(outcome !== 'delivered');
    expect(made.outcome).toMatchObject(outcome === 'delivered' ? { kind: outcome } : { kind: outcome, resent: true });
  });

  test('a failure of a first send says nothing of a second', async () => {
    const { line, made } = await attempt({ status: 503 });
    expect(line.resent).toBeUndefined();
    expect(made.outcome).not.toHaveProperty('resent');
  });
});

describe('What is not sent', () => {
  test.each<[string, Given, Partial<AttemptLine>]>([
    ['whose destination is unusable', { route: NO_ROUTE }, { outcome: 'blocked', reason: 'orders.secret: missing' }],
    [
      'that cannot be read',
      { message: new RelayError('MESSAGE_INVALID', 'no body') },
      { outcome: 'rejected', reason: 'no body' },
    ],
    [
      'whose payload nobody gets',
      { message: POINTED },
      { outcome: 'rejected', reason: 'payloads in S3 are for messages on a queue' },
    ],
    [
      'whose payload is not there',
      { message: POINTED, sendPointed: () => Promise.reject(new RelayError('PAYLOAD_MISSING', 'gone')) },
      { outcome: 'rejected', reason: 'gone' },
    ],
  ])('a message %s has its line, without a call and with the size that it came with', async (_, given, told) => {
    const { line, made } = await attempt(given);
    expect(line).toMatchObject({ ...told, executed: 'no', calls: 0, bytes: 99 });
    expect(line.resent).toBeUndefined();
    expect([line.token, line.tokenAgeMs]).toEqual([undefined, undefined]);
    expect(made).toMatchObject({ calls: 0, resent: false });
  });

  test('a message that cannot be read is told after a destination that is unusable', async () => {
    const { line } = await attempt({ route: NO_ROUTE, message: new RelayError('MESSAGE_INVALID', 'no body') });
    expect(line.reason).toBe('orders.secret: missing');
  });

  test('a payload in S3 is sent once it is there', async () => {
    const { line } = await attempt({ message: POINTED, sendPointed: (_, send) => send(messageOf({}, 'from S3')) });
    expect(line).toMatchObject({ outcome: 'delivered', calls: 1, bytes: 7 });
  });
});
