/** What senders and webhooks share, made up: as it lies in Secrets Manager, with the fields of every kind that goes by it. */
import { madeUp, madeUpKey } from './made-up.ts';
import { type Written, waysOf } from './settings.ts';

type Proof = Readonly<Record<string, string>>;

/** @returns by the name or ARN of the secret, as it was written */
export function proofs(destinations: readonly Written[]): Map<string, Proof> {
  const found = new Map<string, Proof>();
  for (const { webhook } of destinations) {
    for (const { type, secret } of webhook === undefined ? [] : waysOf(webhook)) {
      if (secret === undefined) continue;
      // Any HMAC takes the key of Standard Webhooks; that takes no other.
      const { secret: key } = found.get(secret) ?? {};
      found.set(secret, {
        ...found.get(secret),
        ...proofOf(type, secret),
        ...(key?.startsWith('whsec_') ? { secret: key } : {}),
      });
    }
  }
  return found;
}

function proofOf(type: string, secret: string): Proof {
  switch (type) {
    case 'basic':
      return { username: 'legacy', password: 'local-only' };
    case 'api-key':
      return { key: madeUp(`key of ${secret}`) };
    case 'standard-webhooks':
      return { secret: madeUpKey(`secret of ${secret}`) };
    default:
      return { secret: madeUp(`secret of ${secret}`) };
  }
}
