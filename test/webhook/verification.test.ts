/**
 * Who may come in: what real senders sign is let in, and whatever is changed of it is turned away like any stranger.
 */
import { describe, expect, test } from 'vitest';
import { UNAUTHORIZED } from '../../functions/webhook/problem.ts';
import { NOON } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';
import { type OpenWebhook, openWebhook, refusalOf, statusOf } from './open-webhook.ts';
import { type Entry, SENDERS, type Sender, verifyAs } from './senders.ts';

const BODY = '{"id":"evt_4711","total":"42 €"}';

function open(sender: Sender, secret: unknown = sender.entries[0]): OpenWebhook {
  const opened = openWebhook({ verify: verifyAs(sender.verify) });
  opened.secret = secret;
  return opened;
}

interface Sent {
  readonly by?: Entry;
  readonly atMs?: number;
  /** What arrives in place of the body that was signed. */
  readonly arrives?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
}

async function send(opened: OpenWebhook, sender: Sender, { by = sender.entries[0], atMs = NOON, ...sent }: Sent = {}) {
  const signed = { ...(await sender.sign(BODY, by, atMs)), ...sent.headers };
  const body = Buffer.from(sent.arrives ?? BODY).toString('base64');
  const rawPath = sent.path ?? '/webhooks/orders';
  return opened.admitEvent(webhookEvent({ headers: signed, body, isBase64Encoded: true, rawPath }));
}

describe.each(SENDERS)('A request by $name', (sender) => {
  const { entries, toleranceSeconds } = sender;
  const isSigned = !['basic', 'api-key'].includes(sender.name);

  test('a signed request is let in, and has the sender’s id', async () => {
    const admission = await send(open(sender), sender);
    expect(admission).toMatchObject({ message: { body: { bytes: Buffer.byteLength(BODY) } } });
    const { id } = 'message' in admission ? admission.message : { id: '' };
    if (sender.messageId === undefined) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    else expect(id).toBe(sender.messageId);
  });

  test('a request is let in by either secret of the list, and by the new one alone after a rotation', async () => {
    const opened = open(sender, entries);
    for (const by of entries) expect(statusOf(await send(opened, sender, { by }))).toBeUndefined();
    opened.secret = [entries[1]];
    opened.clock.advance(30_000);
    expect(statusOf(await send(opened, sender, { by: { ...entries[0], ...WRONG }, atMs: opened.clock.now() }))).toBe(
      401,
    );
    expect(statusOf(await send(opened, sender, { by: entries[0], atMs: opened.clock.now() }))).toBe(401);
    expect(statusOf(await send(opened, sender, { by: entries[1], atMs: opened.clock.now() }))).toBeUndefined();
  });

  test('a request with anything wrong gets the same reply as every stranger, byte for byte', async () => {
    const opened = open(sender);
    const names = Object.keys(await sender.sign(BODY, entries[0], NOON));
    const [credential = ''] = names.filter((name) => !/delivery|-id$|timestamp/.test(name));
    const good = (await sender.sign(BODY, entries[0], NOON))[credential] ?? '';
    const tries: Sent[] = [
      { path: '/webhooks/unknown' },
      { by: entries[1] },
      { headers: { [credential]: undefined } },
      { headers: { [credential]: '' } },
      { headers: { [credential]: 'x' } },
      // Of lists one may hold.
      ...(['stripe', 'standard-webhooks', 'standard-webhooks by Svix'].includes(sender.name)
        ? []
        : [{ headers: { [credential]: `${good}, ${good}` } }]),
      { headers: { [credential]: good.slice(0, -6) } },
      { headers: { [credential]: good.replace(/.(.{5})$/, (_, rest: string) => `!${rest}`) } },
      { headers: { [credential]: `${good.slice(0, -12)}${good.at(-12) === 'a' ? 'b' : 'a'}${good.slice(-11)}` } },
      ...(isSigned ? [{ arrives: `${BODY} ` }, { arrives: BODY.replace('42', '43') }, { arrives: '' }] : []),
      ...(toleranceSeconds === undefined ? [] : [-1, 1]).map((sign) => ({
        atMs: NOON + sign * ((toleranceSeconds ?? 0) + 1) * 1000,
      })),
      // What else is signed.
      ...names
        .filter((name) => name.endsWith('timestamp') || /^(webhook|svix)-id$/.test(name))
        .flatMap((name) => ['', '1767268801', 'x'].map((value) => ({ headers: { [name]: value } }))),
    ];
    for (const sent of tries) {
      expect(refusalOf(await send(opened, sender, sent)), JSON.stringify(sent)).toStrictEqual(UNAUTHORIZED);
    }
    expect(statusOf(await send(opened, sender)), 'and the good one still holds').toBeUndefined();
  });

  if (toleranceSeconds !== undefined) {
    test('a request is let in as long as it is not too old or too new', async () => {
      const opened = open(sender);
      for (const awayMs of [-toleranceSeconds * 1000, toleranceSeconds * 1000])
        expect(statusOf(await send(opened, sender, { atMs: NOON + awayMs }))).toBeUndefined();
    });
  }
});

/** No entry has a field with this text. */
const WRONG = { username: 'nobody', password: 'wrong', key: 'wrong', secret: 'whsec_d3Jvbmc=' };

test('the bytes are signed as they came, text or not', async () => {
  const { createHmac } = await import('node:crypto');
  const bytes = Buffer.from([0xff, 0x00, 0xfe, 0xc3, 0x28]);
  const key = 'the first shared secret';
  const opened = openWebhook({ verify: verifyAs('github') });
  opened.secret = { secret: key };
  const event = (body: Buffer) =>
    webhookEvent({
      headers: { 'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(bytes).digest('hex')}` },
      body: body.toString('base64'),
      isBase64Encoded: true,
    });
  expect(statusOf(await opened.admitEvent(event(bytes)))).toBeUndefined();
  // What a decoder of UTF-8 would take for the same.
  expect(statusOf(await opened.admitEvent(event(Buffer.from(bytes.toString()))))).toBe(401);
});
