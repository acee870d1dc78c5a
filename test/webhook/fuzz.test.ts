/**
 * Requests of strangers, 500 of them; 10,000 with `FUZZ_REQUESTS=10000`, the same again with `FUZZ_SEED`. Whatever
 * comes: a small reply of our own; nothing unverified is passed on; no secret is shown.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHttpEvent, toReply } from '../../functions/webhook/event.ts';
import { NOON } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';
import { type OpenWebhook, openWebhook } from './open-webhook.ts';
import { SENDERS, type Sender, verifyAs } from './senders.ts';
import { BODY, MARK, REQUESTS, SEED, strangers } from './strangers.ts';

const MAX_REFUSAL_BYTES = 4_096;
const numRuns = Math.ceil(REQUESTS / SENDERS.length);
/** Shorter ones occur in any text. */
const secretsOf = ({ entries }: Sender) =>
  entries.flatMap((entry) => Object.values(entry)).filter((value) => value.length >= 8);

/** What holds of each reply to a stranger. */
async function expectTurnedAway(opened: OpenWebhook, made: unknown, sender: Sender): Promise<void> {
  const admission = await opened.admitEvent(made);
  // Nothing that a stranger makes up is signed.
  expect(admission).toHaveProperty('reply');
  if (!('reply' in admission)) return;
  const reply = toReply(admission.reply, readHttpEvent(made));
  const told = JSON.stringify(reply);
  expect([200, 400, 401, 404, 405]).toContain(reply.statusCode);
  expect(Buffer.byteLength(told)).toBeLessThanOrEqual(MAX_REFUSAL_BYTES);
  for (const secret of [MARK, ...secretsOf(sender)]) expect(told).not.toContain(secret);
  expect(told).not.toContain('ccess-Control-');
}

test.each(SENDERS)(
  'a stranger is turned away, whatever he sends, by $name',
  async (sender) => {
    const opened = openWebhook({ verify: verifyAs(sender.verify), allowedOrigins: ['em.example.com'] });
    opened.secret = sender.entries;
    const property = fc.asyncProperty(strangers(['orders']), (made) => expectTurnedAway(opened, made, sender));
    await fc.assert(property, { numRuns, seed: SEED });
  },
  600_000,
);

test.each(SENDERS.filter(({ name }) => !['basic', 'api-key'].includes(name)))(
  'a request by $name with one byte changed is turned away',
  async (sender) => {
    const opened = openWebhook({ verify: verifyAs(sender.verify) });
    opened.secret = sender.entries[0];
    const signed = await sender.sign(BODY, sender.entries[0], NOON);
    const bytes = Buffer.from(BODY);
    const change = fc.record({ at: fc.nat(bytes.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, by }) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        const made = webhookEvent({ headers: signed, body: changed.toString('base64'), isBase64Encoded: true });
        await expectTurnedAway(opened, made, sender);
      }),
      { numRuns, seed: SEED },
    );
  },
  600_000,
);
