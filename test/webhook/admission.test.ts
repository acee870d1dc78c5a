/** Admission: in which order a request is checked, and what a stranger learns of it. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { WebhookSettings } from '../../functions/settings/destination.ts';
import { admit } from '../../functions/webhook/admission.ts';
import { NOT_UTF_8, UNAUTHORIZED } from '../../functions/webhook/problem.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { webhookEvent } from './aws-http-events.ts';
import { JOE, type OpenWebhook, openWebhook, refusalOf, statusOf, unavailable } from './open-webhook.ts';

const strict: Partial<WebhookSettings> = {
  methods: ['PUT', 'PATCH'],
  contentTypes: ['application/xml', 'text/*'],
  maxHeaderBytes: 256,
  maxBodyBytes: 10,
};

/** Everything is wrong with it; each step of the table heals one fault, and the next check is the one that refuses. */
const allWrong = {
  rawPath: '/elsewhere/orders',
  method: 'GET',
  isBase64Encoded: true,
  body: 'no base64!',
  headers: { authorization: 'Basic wrong', 'content-type': 'application/json', 'x-long': 'x'.repeat(300) },
};
const steps: readonly (readonly [string, object, number, object])[] = [
  ['the path', {}, 404, {}],
  ['the body’s base64', { rawPath: '/webhooks/orders' }, 400, {}],
  ['the method of any webhook', { body: Buffer.from('x'.repeat(11)).toString('base64') }, 405, { Allow: 'POST' }],
  ['the credentials', { method: 'POST' }, 401, {}],
  ['the destination’s methods', { headers: { ...allWrong.headers, authorization: JOE } }, 405, { Allow: 'PUT, PATCH' }],
  ['the size of the headers', { method: 'PATCH' }, 431, {}],
  ['the content type', { headers: { authorization: JOE, 'content-type': 'application/json' } }, 415, {}],
  ['the size of the body', { headers: { authorization: JOE, 'content-type': 'text/csv' } }, 413, {}],
];
const healed = steps.map((_, index) =>
  Object.assign({}, allWrong, ...steps.slice(0, index + 1).map(([, heal]) => heal)),
);

describe('The checks', () => {
  test.each(steps.map(([name, , status, headers], index) => [name, status, headers, healed[index]] as const))(
    'the checks come in a fixed order: next is %s (%i)',
    async (_, status, headers, event) => {
      const admission = await openWebhook(strict).admitEvent(webhookEvent(event));
      expect(admission).toMatchObject({ reply: { status, headers } });
    },
  );

  test('a request that passes all checks is let in', async () => {
    const event = { ...healed.at(-1), body: Buffer.from('x'.repeat(10)).toString('base64') };
    const admission = await openWebhook(strict).admitEvent(webhookEvent(event));
    expect(admission).toMatchObject({
      message: { contentType: 'text/csv', body: { bytes: 10 } },
      route: { destination: 'orders' },
    });
  });

  test('no secret is read before the path, the body and the method are right', async () => {
    const { admitEvent, readings } = openWebhook(strict);
    for (const event of healed.slice(0, 3)) await admitEvent(webhookEvent(event));
    expect(readings.count).toBe(0);
  });

  test('what is no HTTP event is refused', async () => {
    expect(statusOf(await openWebhook().admitEvent({ Records: [] }))).toBe(400);
  });
});

describe('The method', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', ''])(
    'the method %j belongs to no webhook, known or not',
    async (method) => {
      const known = await openWebhook().admit({ method });
      const unknown = await openWebhook().admit({ method, rawPath: '/webhooks/unknown' });
      expect(known).toMatchObject({ reply: { status: 405, headers: { Allow: 'POST' } } });
      expect(unknown).toEqual(known);
    },
  );

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'the method %s is taken where the webhook lists it',
    async (method) => {
      expect(statusOf(await openWebhook({ methods: [method] }).admit({ method }))).toBeUndefined();
    },
  );
});

describe('The content type', () => {
  test.each<[string | undefined, string, boolean]>([
    [undefined, 'application/json', true],
    ['application/xml', 'application/xml', true],
    ['application/xml', 'Application/XML; charset=utf-8', true],
    ['application/xml', 'application/xml ;charset=utf-8', true],
    ['application/xml', 'application/json', false],
    ['application/xml', 'application/xml+soap', false],
    ['application/xml', '', false],
    ['text/*', 'text/csv; header=present', true],
    ['text/*', 'text', false],
    ['text/*', 'textual/csv', false],
    ['application/*', 'text/csv', false],
  ])('the content type is held against the list %j, %j: taken %s', async (taken, contentType, isTaken) => {
    const { admit } = openWebhook(taken === undefined ? {} : { contentTypes: [taken] });
    expect(statusOf(await admit({ headers: { 'content-type': contentType } }))).toBe(isTaken ? undefined : 415);
  });

  test('a missing content type is refused where there is a list', async () => {
    const event = webhookEvent({ headers: { authorization: JOE } });
    expect(statusOf(await openWebhook({ contentTypes: ['text/*'] }).admitEvent(event))).toBe(415);
    expect(statusOf(await openWebhook().admitEvent(event))).toBeUndefined();
  });
});

describe('A body that the gateway has read as UTF-8', () => {
  /** As an HTTP API hands it over. */
  const asText = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding).toString('utf8');
  const declaring = (encoding: string, quote = '"') =>
    `<?xml version="1.0" encoding=${quote}${encoding}${quote}?><größe/>`;
  const latin1 = 'text/plain; charset=ISO-8859-1';

  test.each<[string, string, string, boolean]>([
    ['a text in ISO-8859-1', latin1, asText('größe', 'latin1'), true],
    ['its charset in quotes', 'text/plain;Charset="iso-8859-1"', asText('größe', 'latin1'), true],
    ['JSON in Windows’ charset', 'application/json; charset=windows-1252', asText('"größe"', 'latin1'), true],
    ['ASCII that is none', 'text/plain; charset=us-ascii', asText('größe', 'latin1'), true],
    ['a charset that nobody knows', 'text/plain; charset=x-legacy', asText('größe', 'latin1'), true],
    ['UTF-16', 'text/plain; charset=utf-16', asText('\uFEFFgröße', 'utf16le'), true],
    ['XML that declares it', 'application/xml', asText(declaring('ISO-8859-1'), 'latin1'), true],
    ['XML that declares it in single quotes', 'text/xml', asText(declaring('iso-8859-15', "'"), 'latin1'), true],
    ['XML in UTF-16', 'application/xml', asText(`\uFEFF${declaring('UTF-16')}`, 'utf16le'), true],
    [
      'XML whose content type says it, whatever it declares',
      `application/xml; charset=latin1`,
      asText(declaring('UTF-8'), 'latin1'),
      true,
    ],
    ['UTF-8 with an honest U+FFFD', 'text/plain; charset=utf-8', 'gr\uFFFDße', false],
    ['the same, otherwise written', 'text/plain; charset="UTF8"', 'gr\uFFFDße', false],
    ['the same, which names no charset', 'application/json', '"gr\uFFFDße"', false],
    ['XML in UTF-8 with an honest U+FFFD', 'application/xml', declaring('UTF-8').replace('ö', '\uFFFD'), false],
    [
      'XML that was recoded on its way, as its content type says',
      'text/xml; charset=utf-8',
      declaring('ISO-8859-1').replace('ö', '\uFFFD'),
      false,
    ],
    ['another charset, and all of it is ASCII', latin1, 'groesse', false],
    ['another charset, and yet valid UTF-8', latin1, 'größe', false],
    [
      'a declaration that does not stand at the beginning',
      'application/xml',
      asText(` ${declaring('ISO-8859-1')}`, 'latin1'),
      false,
    ],
  ])('a body that the gateway has read as UTF-8 %s', async (_, contentType, body, isRefused) => {
    const admission = await openWebhook().admit({ body, headers: { 'content-type': contentType } });
    expect(statusOf(admission)).toBe(isRefused ? 415 : undefined);
    if ('reply' in admission) expect(admission.reply).toBe(NOT_UTF_8);
  });

  test('a body that the gateway may have changed is accepted where the bytes came as they were', async () => {
    const body = Buffer.from('gr\uFFFDße').toString('base64');
    expect(
      statusOf(await openWebhook().admit({ body, isBase64Encoded: true, headers: { 'content-type': latin1 } })),
    ).toBeUndefined();
  });

  test('a body that the gateway has read as UTF-8 is refused after verification, before its size', async () => {
    const { admit } = openWebhook({ maxBodyBytes: 3 });
    const spoiled = { body: asText('größe', 'latin1'), headers: { 'content-type': latin1 } };
    expect(statusOf(await admit(spoiled))).toBe(415);
    expect(statusOf(await admit({ ...spoiled, headers: { ...spoiled.headers, authorization: 'Basic no' } }))).toBe(401);
  });
});

describe('The sizes', () => {
  test('the size of the body counts its bytes as they were before base64', async () => {
    const { admit } = openWebhook({ maxBodyBytes: 4 });
    expect(statusOf(await admit({ body: 'AAAAAA==', isBase64Encoded: true }))).toBeUndefined();
    expect(statusOf(await admit({ body: 'éé' }))).toBeUndefined();
    expect(statusOf(await admit({ body: 'ééa' }))).toBe(413);
    expect(statusOf(await admit({ body: '' }))).toBeUndefined();
  });

  test('the size of the headers counts names and values together, in bytes', async () => {
    const own = Buffer.byteLength(`authorization${JOE}content-typeapplication/jsonx-fill`);
    const { admit } = openWebhook({ maxHeaderBytes: own + 6 });
    expect(statusOf(await admit({ headers: { 'x-fill': 'xxxxxx' } }))).toBeUndefined();
    expect(statusOf(await admit({ headers: { 'x-fill': 'xxxxxxx' } }))).toBe(431);
    expect(statusOf(await admit({ headers: { 'x-fill': 'éééé' } }))).toBe(431);
  });
});

describe('A stranger learns the same', () => {
  test.each<[string, Parameters<OpenWebhook['admit']>[0]]>([
    ['of a destination that does not exist', { rawPath: '/webhooks/unknown' }],
    ['of one by its prototype’s name', { rawPath: '/webhooks/constructor' }],
    ['of one that does, with wrong credentials', { headers: { authorization: 'Basic d3Jvbmc6d3Jvbmc=' } }],
    ['with credentials that are none', { headers: { authorization: 'Bearer x' } }],
    ['with an empty header', { headers: { authorization: '' } }],
  ])('a stranger gets the same reply %s', async (_, fields) => {
    const { reply } = (await openWebhook().admit(fields)) as { reply: unknown };
    expect(reply).toStrictEqual(UNAUTHORIZED);
  });

  test('a stranger gets the same reply without credentials', async () => {
    expect(refusalOf(await openWebhook().admitEvent(webhookEvent()))).toStrictEqual(UNAUTHORIZED);
  });
});

describe('The time of the invocation', () => {
  test('the end of the invocation ends the wait for the secret: 503, and the cause is logged', async () => {
    const opened = openWebhook();
    const abort = new AbortController();
    opened.deadline = deadlineOf(0, abort.signal);
    const signals: AbortSignal[] = [];
    opened.reading = (signal) => {
      signals.push(signal);
      abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over'));
      return new Promise(() => undefined);
    };
    expect(await opened.admit()).toMatchObject({
      reply: { status: 503, headers: { 'Retry-After': '30' } },
      cause: { code: 'DEADLINE' },
    });
    expect(signals).toMatchObject([{ aborted: true }]);
  });

  test('the end of the invocation ends the second reading after a failed check, and nobody is let in', async () => {
    const opened = openWebhook();
    await opened.admit();
    const abort = new AbortController();
    opened.deadline = deadlineOf(0, abort.signal);
    opened.reading = () => {
      abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over'));
      return new Promise(() => undefined);
    };
    expect(statusOf(await opened.admit({ headers: { authorization: 'Basic d3Jvbmc6d3Jvbmc=' } }))).toBe(401);
  });

  test('an invocation that is over lets nobody in, nor reads anything', async () => {
    const opened = openWebhook();
    const over = new RelayError('DEADLINE', 'the time of the invocation is over');
    opened.deadline = deadlineOf(0, AbortSignal.abort(over));
    expect(await opened.admit()).toMatchObject({ reply: { status: 503 }, cause: over });
    expect(opened.readings.count).toBe(0);
  });
});

describe('A secret that cannot be read', () => {
  test.each<[string, unknown, string]>([
    ['now', unavailable(), 'SECRET_UNAVAILABLE'],
    ['at all', { user: 'joe' }, 'SECRET_MALFORMED'],
  ])('a secret that cannot be read %s is answered 503, and the cause is logged', async (_, secret, code) => {
    const opened = openWebhook();
    opened.secret = secret;
    const admission = await opened.admit();
    expect(admission).toMatchObject({ reply: { status: 503, headers: { 'Retry-After': '30' } }, cause: { code } });
    expect(JSON.stringify('reply' in admission ? admission.reply : '')).not.toContain('secret');
    opened.secret = { username: 'joe', password: 'Sésame: öffne dich' };
    opened.clock.advance(29_999);
    expect(await opened.admit(), 'not read again for 30 s').toMatchObject({ reply: { status: 503 }, cause: { code } });
    expect(opened.readings.count).toBe(1);
    opened.clock.advance(1);
    expect(statusOf(await opened.admit())).toBeUndefined();
  });

  test('a bug in reading a secret is not hidden', async () => {
    const opened = openWebhook();
    opened.secret = new TypeError('bug');
    await expect(opened.admit()).rejects.toThrow('bug');
  });
});

test('an unknown destination goes through a comparison of the credentials, too', async () => {
  let looks = 0;
  const headers = {
    get authorization() {
      looks += 1;
      return JOE;
    },
  };
  const event = {
    method: 'POST',
    path: '/webhooks/unknown',
    isPathEncoded: false,
    headers,
    body: Buffer.of(),
    isBodyText: true,
    multiValue: false,
  };
  const admission = await admit(event, () => undefined, deadlineOf());
  expect(refusalOf(admission)).toStrictEqual(UNAUTHORIZED);
  expect(looks).toBe(1);
});
