/** Mode `direct`: what reply the waiting caller gets for each outcome. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { outcomeOfAnswer, outcomeOfError } from '../../functions/relay/outcome.ts';
import type { WebhookSettings } from '../../functions/settings/destination.ts';
import { toReply } from '../../functions/webhook/event.ts';
import { problem } from '../../functions/webhook/problem.ts';
import { directReply } from '../../functions/webhook/reply.ts';
import { answer } from '../doubles/answer.ts';
import { openWebhook } from './open-webhook.ts';

const webhookWith = (returnHeaders: string[] = []): WebhookSettings => openWebhook({ returnHeaders }).route.webhook;
const wait = (seconds: number) => ({ headers: { 'Retry-After': String(seconds) } });

describe('An answer of the flow', () => {
  test.each([400, 413, 415, 422])('an answer of the flow of %i is passed on', (status) => {
    expect(directReply(outcomeOfAnswer(answer(status, 'why')), webhookWith())).toEqual(problem('rejected', { status }));
  });

  test.each([409, 410, 412])('an answer of the flow of %i becomes 422', (status) => {
    expect(directReply(outcomeOfAnswer(answer(status, 'why')), webhookWith())).toEqual(
      problem('rejected', { status: 422 }),
    );
  });

  test.each([301, 302, 307, 401, 403, 404, 405])(
    'an answer of the flow of %i is a bad gateway of which the caller learns no more',
    (status) => {
      expect(directReply(outcomeOfAnswer(answer(status, 'why')), webhookWith())).toEqual(problem('bad-gateway'));
    },
  );

  test.each([
    [429, 'unavailable'],
    [503, 'unavailable'],
    [408, 'gateway-timeout'],
    [500, 'bad-gateway'],
    [502, 'bad-gateway'],
    [504, 'bad-gateway'],
    [425, 'bad-gateway'],
    [418, 'bad-gateway'],
  ] as const)('an answer of the flow of %i becomes %s, to be tried again', (status, name) => {
    const outcome = outcomeOfAnswer(answer(status, 'why'));
    expect(directReply(outcome, webhookWith())).toEqual(problem(name, wait(30)));
    expect(directReply({ ...outcome, retryAfterMs: 7_000 } as never, webhookWith())).toEqual(problem(name, wait(7)));
  });

  test.each([
    [0, 0],
    [1, 1],
    [999, 1],
    [1_001, 2],
    [120_000, 120],
  ])('an answer of the flow that asks for %d ms becomes a Retry-After of %d s', (retryAfterMs, seconds) => {
    const outcome = outcomeOfAnswer(answer(429), { retryAfterMs });
    expect(directReply(outcome, webhookWith()).headers).toMatchObject({ 'Retry-After': String(seconds) });
  });
});

describe('Without an answer', () => {
  test.each([
    ['TIMED_OUT', 'gateway-timeout'],
    ['DEADLINE', 'gateway-timeout'],
    ['CONNECTION_FAILED', 'bad-gateway'],
    ['TOKEN_UNAVAILABLE', 'bad-gateway'],
    ['SECRET_UNAVAILABLE', 'bad-gateway'],
  ] as const)('a call without an answer, %s, is %s, to be tried again', (code, name) => {
    expect(directReply(outcomeOfError(new RelayError(code, 'hunter22')), webhookWith())).toEqual(
      problem(name, wait(30)),
    );
  });

  test.each([
    'TOKEN_REFUSED',
    'TOKEN_REJECTED',
    'TOKEN_RESPONSE_INVALID',
    'SECRET_NOT_FOUND',
    'SECRET_UNREADABLE',
    'SECRET_MALFORMED',
    'CERTIFICATE_EXPIRED',
    'SETTING_INVALID',
    'CSRF_UNAVAILABLE',
  ] as const)('a call without an answer, %s, is a bad gateway of which the caller learns no more', (code) => {
    expect(directReply(outcomeOfError(new RelayError(code, 'hunter22')), webhookWith())).toEqual(
      problem('bad-gateway'),
    );
  });

  test('a message that cannot be sent is rejected', () => {
    const outcome = outcomeOfError(new RelayError('MESSAGE_INVALID', 'hunter22'));
    expect(directReply(outcome, webhookWith())).toEqual(problem('rejected', { status: 422 }));
  });

  test('a bug in a direct call is a bad gateway', () => {
    expect(directReply(outcomeOfError(new TypeError('hunter22')), webhookWith())).toEqual(
      problem('bad-gateway', wait(30)),
    );
  });
});

describe('What was delivered', () => {
  test.each([200, 201, 202, 206, 299])(
    'a delivered message is answered %i with the flow’s body, byte for byte',
    (status) => {
      const came = { ...answer(status, '', { 'content-type': 'application/pdf' }), body: Buffer.from([0, 255, 10]) };
      expect(directReply(outcomeOfAnswer(came), webhookWith())).toStrictEqual({
        status,
        headers: { 'Content-Type': 'application/pdf' },
        body: came.body,
      });
    },
  );

  test('a delivered message with 204 is answered without a body', () => {
    expect(directReply(outcomeOfAnswer(answer(204)), webhookWith())).toStrictEqual({
      status: 204,
      headers: {},
      body: '',
    });
  });

  const headers = {
    'content-type': 'text/xml',
    'content-encoding': 'gzip',
    'content-language': 'de',
    'x-one': '1',
    'x-two': '2',
    etag: '"e"',
    server: 'hunter22',
    date: 'now',
    'set-cookie': ['JSESSIONID=hunter22', 'other=hunter22'],
    'x-csrf-token': 'hunter22',
    'www-authenticate': 'Basic',
    'content-length': '4',
    connection: 'keep-alive',
    'transfer-encoding': 'chunked',
  };
  const own = { 'Content-Type': 'text/xml', 'Content-Encoding': 'gzip', 'Content-Language': 'de' };

  test.each<[string, string[], object]>([
    ['the body’s three headers alone', [], own],
    ['those that are listed', ['x-one', 'etag'], { ...own, 'x-one': '1', etag: '"e"' }],
    ['those of a beginning', ['x-*'], { ...own, 'x-one': '1', 'x-two': '2' }],
    ['none that only begins alike', ['x-on'], own],
  ])('the reply to a delivered message comes with %s', (_, returnHeaders, expected) => {
    const reply = directReply(outcomeOfAnswer(answer(200, '<a/>', headers)), webhookWith(returnHeaders));
    expect(reply.headers).toEqual(expected);
  });

  test('the reply to a delivered message has no cookies, CSRF token and hop-by-hop headers, even if listed', () => {
    const reply = directReply(outcomeOfAnswer(answer(200, '<a/>', headers)), webhookWith(['*', 's*', 'x-csrf-*']));
    const names = Object.keys(reply.headers).map((name) => name.toLowerCase());
    for (const name of ['set-cookie', 'x-csrf-token', 'content-length', 'connection', 'transfer-encoding']) {
      expect(names).not.toContain(name);
    }
    expect(names).toContain('etag');
  });

  test('the reply has no header that its Connection lists, nor one that opens it to foreign pages', () => {
    const more = { ...headers, connection: 'close, X-Two ,ETag', 'access-control-allow-origin': '*' };
    const listed = ['*', 'x-two', 'access-control-allow-origin'];
    const names = Object.keys(directReply(outcomeOfAnswer(answer(200, '<a/>', more)), webhookWith(listed)).headers);
    expect(names).toContain('x-one');
    for (const name of ['x-two', 'etag', 'access-control-allow-origin']) expect(names).not.toContain(name);
  });

  test.each([['*'], ['content-*'], ['content-encoding'], ['content-language'], ['Content-Type']])(
    'the reply has no header twice in another spelling, where returnHeaders is %s',
    (pattern) => {
      const reply = directReply(outcomeOfAnswer(answer(200, '<a/>', headers)), webhookWith([pattern.toLowerCase()]));
      const names = Object.keys(reply.headers).map((name) => name.toLowerCase());
      expect(names).toEqual([...new Set(names)]);
      expect(reply.headers).toMatchObject(own);
    },
  );

  describe('but is too large to be passed on says that it was carried out, and not when to try again:', () => {
    const tooLarge = {
      status: 502,
      headers: {
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      },
      body: JSON.stringify({
        type: 'urn:problem-type:token-relay:answer-too-large',
        title: 'The answer of the receiver is too large',
        status: 502,
        detail: 'The message was carried out',
      }),
    };
    const MIB = 1_048_576;
    const pdf = { 'content-type': 'application/pdf' };
    const json = { 'content-type': 'application/json' };

    test.each<[string, Buffer, Record<string, string>, boolean]>([
      ['4.4 MB of bytes', Buffer.alloc(4_400_000, 255), pdf, true],
      ['4.8 MB of bytes', Buffer.alloc(4_800_000, 255), pdf, false],
      ['5.9 MiB of text', Buffer.alloc(5.9 * MIB, 'a'), json, true],
      ['6 MiB of text, with which the reply is longer', Buffer.alloc(6 * MIB, 'a'), json, false],
      ['5 MiB of JSON, of which the reply’s own JSON makes more', Buffer.alloc(5 * MIB, '"a'), json, false],
      [
        '5.99 MiB of text, with a header of 16 kB',
        Buffer.alloc(5.99 * MIB, 'a'),
        { ...json, 'x-long': 'x'.repeat(16_000) },
        false,
      ],
    ])(
      'an answer too large to pass on is reported as carried out, without a time for a retry: %s',
      (_, body, headers, fits) => {
        const reply = directReply(outcomeOfAnswer({ ...answer(200, '', headers), body }), webhookWith(['x-long']));
        if (!fits) expect(reply).toStrictEqual(tooLarge);
        else expect(reply.body).toBe(body);
        for (const multiValue of [true, false])
          expect(Buffer.byteLength(JSON.stringify(toReply(reply, { multiValue })))).toBeLessThanOrEqual(6 * MIB);
      },
    );

    test('an answer too large to keep is reported as carried out, without a time for a retry', () => {
      const outcome = outcomeOfAnswer({ ...answer(200, 'part'), truncated: true });
      expect(directReply(outcome, webhookWith())).toStrictEqual(tooLarge);
    });
  });
});
