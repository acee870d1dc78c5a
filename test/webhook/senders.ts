/**
 * Senders of webhooks, each as it signs in the field: by the library of the one who sends, where there is one, else as
 * its documentation says. None of it is the relay's own code.
 */
import '@shopify/shopify-api/adapters/node';
import { createHmac } from 'node:crypto';
import { sign as signForGithub } from '@octokit/webhooks-methods';
import { createSHA256HMAC } from '@shopify/shopify-api/runtime';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { readSettings } from '../../functions/settings/settings.ts';
import type { Verification } from '../../functions/settings/verification.ts';

/** One entry of the secret that a sender and the webhook share. */
export type Entry = Readonly<Record<string, string>>;

export interface Sender {
  readonly name: string;
  /** `webhook.verify`, as an operator writes it. */
  readonly verify: unknown;
  /** Two secrets of the right form. */
  readonly entries: readonly [Entry, Entry];
  /** The headers that make a request with this body the sender's. */
  readonly sign: (body: string, entry: Entry, atMs: number) => Promise<Record<string, string>>;
  /** Whether what it signs grows old, and after how many seconds. */
  readonly toleranceSeconds?: number;
  /** The id that its message then bears, where the sender names one. */
  readonly messageId?: string;
}

const seconds = (ms: number) => Math.floor(ms / 1000);
const secrets = [{ secret: 'the first shared secret' }, { secret: 'the second shared secret' }] as const;
const text = (entry: Entry, field = 'secret') => entry[field] ?? '';
const mac = (algorithm: string, entry: Entry, content: string, encoding: 'hex' | 'base64') =>
  createHmac(algorithm, text(entry)).update(content).digest(encoding);

export const SENDERS: readonly Sender[] = [
  {
    name: 'basic',
    verify: 'basic',
    entries: [
      { username: 'joe', password: 'Sésame: öffne dich' },
      { username: 'ann', password: 'another password' },
    ],
    sign: async (_, entry) => ({
      authorization: `Basic ${Buffer.from(`${text(entry, 'username')}:${text(entry, 'password')}`).toString('base64')}`,
    }),
  },
  {
    name: 'api-key',
    verify: 'api-key',
    entries: [{ key: 'the first of the keys' }, { key: 'the second of the keys' }],
    sign: async (_, entry) => ({ 'x-api-key': text(entry, 'key') }),
  },
  {
    name: 'hmac',
    verify: { type: 'hmac', header: 'X-Signature' },
    entries: secrets,
    sign: async (body, entry) => ({ 'x-signature': mac('sha256', entry, body, 'hex') }),
  },
  {
    // As Slack signs: https://docs.slack.dev/authentication/verifying-requests-from-slack
    name: 'hmac with a timestamp',
    verify: {
      type: 'hmac',
      header: 'X-Slack-Signature',
      prefix: 'v0=',
      timestampHeader: 'X-Slack-Request-Timestamp',
      signedContent: 'v0:{timestamp}:{body}',
    },
    entries: secrets,
    toleranceSeconds: 300,
    sign: async (body, entry, atMs) => ({
      'x-slack-signature': `v0=${mac('sha256', entry, `v0:${seconds(atMs)}:${body}`, 'hex')}`,
      'x-slack-request-timestamp': String(seconds(atMs)),
    }),
  },
  {
    name: 'hmac with sha512 in base64',
    verify: { type: 'hmac', header: 'X-Signature', algorithm: 'sha512', encoding: 'base64', prefix: 'HMAC ' },
    entries: secrets,
    sign: async (body, entry) => ({ 'x-signature': `HMAC ${mac('sha512', entry, body, 'base64')}` }),
  },
  {
    name: 'github',
    verify: 'github',
    entries: secrets,
    messageId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    sign: async (body, entry) => ({
      'x-hub-signature-256': await signForGithub(text(entry), body),
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    }),
  },
  {
    name: 'shopify',
    verify: 'shopify',
    entries: secrets,
    messageId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    sign: async (body, entry) => ({
      'x-shopify-hmac-sha256': await createSHA256HMAC(text(entry), body),
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    }),
  },
  {
    name: 'stripe',
    verify: 'stripe',
    entries: [{ secret: 'whsec_the_first' }, { secret: 'whsec_the_second' }],
    toleranceSeconds: 300,
    messageId: 'evt_4711',
    sign: async (payload, entry, atMs) => ({
      'stripe-signature': new Stripe('sk_test_none').webhooks.generateTestHeaderString({
        payload,
        secret: text(entry),
        timestamp: seconds(atMs),
      }),
    }),
  },
  {
    name: 'sap-open-connectors',
    verify: 'sap-open-connectors',
    entries: secrets,
    sign: async (body, entry) => ({ 'elements-webhook-signature': `sha256=${mac('sha256', entry, body, 'base64')}` }),
  },
  {
    name: 'standard-webhooks',
    verify: 'standard-webhooks',
    entries: [
      { secret: `whsec_${Buffer.from('the first shared secret.').toString('base64')}` },
      { secret: `whsec_${Buffer.from('the second shared secret').toString('base64')}` },
    ],
    toleranceSeconds: 300,
    messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    sign: async (body, entry, atMs) => ({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': String(seconds(atMs)),
      'webhook-signature': new Webhook(text(entry)).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(atMs), body),
    }),
  },
  {
    name: 'standard-webhooks by Svix',
    verify: 'standard-webhooks',
    entries: [
      { secret: `whsec_${Buffer.from('the first shared secret.').toString('base64')}` },
      { secret: `whsec_${Buffer.from('the second shared secret').toString('base64')}` },
    ],
    toleranceSeconds: 300,
    messageId: 'msg_2b1e',
    sign: async (body, entry, atMs) => ({
      'svix-id': 'msg_2b1e',
      'svix-timestamp': String(seconds(atMs)),
      'svix-signature': new Webhook(text(entry)).sign('msg_2b1e', new Date(atMs), body),
    }),
  },
];

export function senderOf(name: string): Sender {
  const sender = SENDERS.find((one) => one.name === name);
  if (sender === undefined) throw new TypeError(`no sender ${name}`);
  return sender;
}

interface Way {
  readonly type: string;
  readonly secret?: string;
}

/** What the settings make of `webhook.verify`. @param secret the webhook's */
export function verifyAs(verify: unknown, secret = 'webhooks/orders'): readonly Verification[] {
  const ways = [verify].flat().map((way) => (typeof way === 'string' ? { type: way } : way)) as Way[];
  const isUsed = ways.some((way) => way.secret === undefined && !['jwt', 'iam', 'none'].includes(way.type));
  const webhook = { verify, ...(isUsed ? { secret } : {}), mode: 'direct' };
  const written = { secret: 'cpi/orders', path: '/orders', webhook };
  const orders = readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');
  if (orders === undefined || 'error' in orders) throw orders?.error ?? new Error('no destination');
  return orders.webhook?.verify ?? [];
}
