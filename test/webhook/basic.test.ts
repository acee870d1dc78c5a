/** Verification `basic`: who is let in, the secret's forms, and how often it is read again. */

import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpEvent } from '../../functions/webhook/event.ts';
import { basic } from '../../functions/webhook/verification/basic.ts';
import { readEntries } from '../../functions/webhook/verification/scheme.ts';
import { NOBODY } from '../../functions/webhook/verification/verifier.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { NOON, turn } from '../doubles/time.ts';
import { basicOf, JOE, joe, openWebhook, statusOf, unavailable } from './open-webhook.ts';

const ann = { username: 'ann', password: 'new' };
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const read = (text: string) => readEntries({ text, versionId: 'v1' }, 'webhooks/orders', basic);
const requestWith = (authorization: string | undefined): HttpEvent => ({
  method: 'POST',
  path: '/',
  isPathEncoded: false,
  multiValue: false,
  isBodyText: true,
  body: undefined,
  headers: authorization === undefined ? {} : { authorization },
});
const holds = (authorization: string | undefined, entries: readonly Buffer[]) =>
  basic.judge(requestWith(authorization), entries, NOON) === 'holds';

describe('The header', () => {
  const entries = read(JSON.stringify(joe));

  test.each<[string, string]>([
    ['as browsers write it', JOE],
    ['with the scheme in lower case', JOE.replace('Basic', 'basic')],
    ['with the scheme in upper case', JOE.replace('Basic', 'BASIC')],
    ['with more than one space', JOE.replace(' ', '   ')],
    ['with spaces behind it', `${JOE}  `],
    ['without padding', JOE.replace(/=+$/, '')],
  ])('a Basic header is accepted that holds %s', (_, header) => {
    expect(holds(header, entries)).toBe(true);
  });

  test.each<[string, string | undefined]>([
    ['it is absent', undefined],
    ['it is empty', ''],
    ['there is only the scheme', 'Basic'],
    ['there is only the scheme and a space', 'Basic '],
    ['the user differs', basicOf({ ...joe, username: 'Joe' })],
    ['the password differs', basicOf({ ...joe, password: `${joe.password} ` })],
    ['the password is empty', basicOf({ ...joe, password: '' })],
    ['the password is Latin-1', `Basic ${base64(Buffer.from(`joe:${joe.password}`, 'latin1'))}`],
    ['the colon is elsewhere', `Basic ${base64('joe:Sésame:öffne dich')}`],
    ['it is not in base64', `Basic joe:${joe.password}`],
    ['it is in base64url', `Basic ${base64('joe:???').replace('/', '_')}`],
    ['the scheme is another', JOE.replace('Basic', 'Bearer')],
    ['the scheme is missing', JOE.replace('Basic ', '')],
    ['it came twice', `${JOE}, ${JOE}`],
    ['something follows', `${JOE} x`],
    ['something comes before', `x ${JOE}`],
  ])('a Basic header is refused where %s', (_, header) => {
    expect(holds(header, entries)).toBe(false);
  });

  test('a Basic header is refused where the secret has no entries', async () => {
    for (const header of [undefined, '', JOE, `Basic ${base64(Buffer.alloc(32))}`])
      expect(await NOBODY.check(requestWith(header), deadlineOf())).toEqual({ judgement: 'wrong-credentials' });
  });

  test('the Basic header of RFC 7617 is accepted', () => {
    const rfc = read('{"username":"test","password":"123£"}');
    expect(holds('Basic dGVzdDoxMjPCow==', rfc)).toBe(true);
  });

  test('a Basic header is accepted for a password with colons in it', () => {
    const colons = read('{"username":"a","password":"b:c:"}');
    expect(holds(basicOf({ username: 'a', password: 'b:c:' }), colons)).toBe(true);
    expect(holds(basicOf({ username: 'a', password: 'b:c' }), colons)).toBe(false);
  });
});

describe('A secret that holds no entries', () => {
  const object = 'expected an object with username and password';
  const user = '"username": expected a text that is not empty';
  const password = '"password": expected a text that is not empty';

  test.each<[string, string, string]>([
    ['is empty', '', object],
    ['is no JSON', 'joe:hunter22', object],
    ['is null', 'null', object],
    ['is a text', '"hunter22"', object],
    ['is an empty list', '[]', `${object}, or a list of them`],
    ['is a list of texts', '["hunter22"]', object],
    ['is a list with null', `[${JSON.stringify(joe)},null]`, object],
    ['is an empty object', '{}', user],
    ['has no user', '{"password":"hunter22"}', user],
    ['has an empty user', '{"username":"","password":"hunter22"}', user],
    ['has a user that is a number', '{"username":7,"password":"hunter22"}', user],
    [
      'has a user with a colon',
      '{"username":"a:hunter22","password":"b"}',
      '"username": must not contain ":", Basic cannot carry it',
    ],
    ['has no password', '{"username":"hunter22"}', password],
    ['has an empty password', '{"username":"hunter22","password":""}', password],
    ['has a password that is a number', '{"username":"hunter22","password":4711}', password],
    ['has a bad entry behind a good one', `[${JSON.stringify(joe)},{"username":"hunter22"}]`, password],
    ['is an API key', '{"key":"hunter22"}', user],
  ])('a secret without entries because it %s is named by its field, without its content', (_, text, problem) => {
    let error: unknown;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RelayError);
    const { code, message, stack } = error as RelayError;
    expect(code).toBe('SECRET_MALFORMED');
    expect(message).toBe(`secret "webhooks/orders": ${problem}; the operator must correct the secret`);
    expect(`${stack}`).not.toContain('hunter22');
  });
});

describe('A rotation', () => {
  test('a rotation lets in by every entry of the list', async () => {
    const opened = openWebhook();
    opened.secret = [joe, ann];
    for (const entry of [joe, ann])
      expect(statusOf(await opened.admit({ headers: { authorization: basicOf(entry) } }))).toBeUndefined();
    const mixed = basicOf({ username: 'ann', password: joe.password });
    expect(statusOf(await opened.admit({ headers: { authorization: mixed } }))).toBe(401);
  });

  test('a rotation is seen when a check fails, and the request is let in at once', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.secret = ann;
    expect(statusOf(await opened.admit({ headers: { authorization: basicOf(ann) } }))).toBeUndefined();
    expect(opened.readings.count).toBe(2);
  });

  test('a rotation that took an entry away is seen after ten minutes, even if nobody fails', async () => {
    const opened = openWebhook();
    opened.secret = [joe, ann];
    await opened.admit();
    opened.secret = [ann];
    opened.clock.advance(599_999);
    expect(statusOf(await opened.admit())).toBeUndefined();
    expect(opened.readings.count).toBe(1);
    opened.clock.advance(1);
    expect(statusOf(await opened.admit()), 'it is read beside the work').toBeUndefined();
    await opened.settled();
    expect(statusOf(await opened.admit())).toBe(401);
  });

  test('a rotation is not waited for while Secrets Manager hangs: a known password is let in at once', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.reading = () => new Promise(() => undefined);
    opened.clock.advance(600_000);
    for (let request = 0; request < 20; request += 1) expect(statusOf(await opened.admit())).toBeUndefined();
    expect(opened.readings.count).toBe(2);
  });

  test('a rotation that comes within two seconds lets in the first sender with the new password', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.secret = ann;
    const { promise, resolve } = Promise.withResolvers<void>();
    opened.reading = () => promise;
    const admission = opened.admit({ headers: { authorization: basicOf(ann) } });
    await Promise.resolve();
    opened.clock.advance(1_999);
    resolve();
    expect(statusOf(await admission)).toBeUndefined();
  });

  test('a rotation that does not come within two seconds is not waited for: what is known decides', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.secret = ann;
    const { promise: begun, resolve: begin } = Promise.withResolvers<AbortSignal>();
    opened.reading = (signal) => {
      begin(signal);
      return new Promise(() => undefined);
    };
    let isDecided = false;
    const admission = opened.admit({ headers: { authorization: basicOf(ann) } }).finally(() => {
      isDecided = true;
    });
    const signal = await begun;
    opened.clock.advance(1_999);
    await turn();
    expect(isDecided).toBe(false);
    opened.clock.advance(1);
    expect(statusOf(await admission)).toBe(401);
    expect(signal.aborted, 'nothing runs on').toBe(true);
    opened.reading = () => undefined;
    expect(statusOf(await opened.admit()), 'and turns nobody else away').toBeUndefined();
  });

  test('a rotation is not waited for while the secret cannot be read: a known password stays good', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.secret = unavailable();
    opened.clock.advance(600_000);
    for (let request = 0; request < 20; request += 1) expect(statusOf(await opened.admit())).toBeUndefined();
    expect(opened.readings.count, 'tried once in 30 s').toBe(2);
  });

  test.each(['SECRET_NOT_FOUND', 'SECRET_UNREADABLE'] as const)(
    'a rotation to a secret without entries (%s) turns everybody away after ten minutes',
    async (code) => {
      const opened = openWebhook();
      await opened.admit();
      opened.secret = new RelayError(code, 'gone');
      opened.clock.advance(599_999);
      expect(statusOf(await opened.admit())).toBeUndefined();
      opened.clock.advance(1);
      expect(statusOf(await opened.admit()), 'it is read beside the work').toBeUndefined();
      await opened.settled();
      for (let request = 0; request < 3; request += 1) expect(statusOf(await opened.admit())).toBe(503);
      expect(opened.readings.count, 'tried once in 30 s').toBe(2);
    },
  );

  test('a rotation is not seen while the old entries hold', async () => {
    const opened = openWebhook();
    await opened.admit();
    opened.secret = ann;
    expect(statusOf(await opened.admit())).toBeUndefined();
    expect(opened.readings.count).toBe(1);
  });
});

describe('A stranger makes the secret be read', () => {
  const wrong = { headers: { authorization: basicOf({ ...joe, password: 'wrong' }) } };

  test('a stranger makes the secret be read again at most once in 30 s, however often he knocks', async () => {
    const opened = openWebhook();
    for (let request = 0; request < 20; request += 1) expect(statusOf(await opened.admit(wrong))).toBe(401);
    expect(opened.readings.count).toBe(2);
    opened.clock.advance(29_999);
    await opened.admit(wrong);
    expect(opened.readings.count).toBe(2);
    opened.clock.advance(1);
    await opened.admit(wrong);
    await opened.admit(wrong);
    expect(opened.readings.count).toBe(3);
  });

  test('a stranger makes the secret be read again once, if he knocks twenty times at once', async () => {
    const opened = openWebhook();
    await opened.admit();
    const admissions = await Promise.all(Array.from({ length: 20 }, () => opened.admit(wrong)));
    expect(new Set(admissions.map(statusOf))).toEqual(new Set([401]));
    expect(opened.readings.count).toBe(2);
  });

  test('a stranger makes no secret be read for an unknown destination', async () => {
    const opened = openWebhook();
    await opened.admit({ rawPath: '/webhooks/unknown' });
    expect(opened.readings.count).toBe(0);
  });

  test('a stranger makes an unreadable secret be read no more often, and shuts nobody else out', async () => {
    const opened = openWebhook();
    expect(statusOf(await opened.admit())).toBeUndefined();
    opened.secret = unavailable();
    for (let request = 0; request < 10; request += 1) expect(statusOf(await opened.admit(wrong))).toBe(401);
    expect(opened.readings.count).toBe(2);
    expect(statusOf(await opened.admit())).toBeUndefined();
    opened.clock.advance(30_000);
    await opened.admit(wrong);
    expect(opened.readings.count).toBe(3);
  });

  test('a stranger makes the secret be read in the first half minute of the clock, too', async () => {
    const opened = openWebhook();
    opened.clock.moveTo(0);
    await opened.admit(wrong);
    expect(opened.readings.count).toBe(2);
  });

  test('a stranger who makes the secret be read keeps nobody else out meanwhile', async () => {
    const opened = openWebhook();
    await opened.admit(wrong);
    expect(statusOf(await opened.admit())).toBeUndefined();
  });
});
