/**
 * The ways in that the settings name, made once for an execution environment. A secret is read for all the webhooks that
 * name it, an issuer is asked for its keys for all that trust it; the code for tokens is loaded when the first one has to be checked.
 */
import type { ReadSecret } from '../../aws/secrets-manager.ts';
import type { Send } from '../../http-client.ts';
import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { readEntries } from './entries.ts';
import { hmac } from './hmac.ts';
import { createIssuer, jwtVerifier } from './issuer.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { createKnown, type Known } from './known.ts';
import type { Proof } from './proof.ts';
import type { JwtVerification, Verification } from './settings.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import type { Verifier } from './verifier.ts';

export interface VerifiersOptions {
  readonly readSecret: ReadSecret;
  /** For the keys of issuers. */
  readonly send: Send;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * A secret that was taken off the list is good no longer than this, in milliseconds: while good requests alone come, no check
 * fails, and nothing else would have it read again.
 */
const DUE_AFTER_MS = 600_000;
const SIGNED_FOR_AWS: Verifier = { check: async ({ iamIdentity = '' }) => ({ holds: iamIdentity !== '' }) };
const ANYONE: Verifier = { check: async () => ({ holds: true }) };

/** @returns what makes the verifier for an entry of `webhook.verify` */
export function createVerifiers({ readSecret, send, now }: VerifiersOptions): (settings: Verification) => Verifier {
  const secrets = new Map<string, Known<unknown[]>>();
  const issuers = new Map<string, Known<IssuerKeys>>();

  function bySecret<F extends string, E>(proof: Proof<F, E>, type: string, secret: string): Verifier {
    const kept = `${type} ${secret}`;
    const load = async (signal: AbortSignal) => readEntries(await readSecret(secret, signal), secret, proof);
    // Of one type, entries are of one form.
    const known = (secrets.get(kept) ??
      createKnown({ load: ({ signal }) => load(signal), dueAfterMs: DUE_AFTER_MS, now })) as Known<E[]>;
    secrets.set(kept, known);
    return {
      async check(request, { deadline }) {
        const entries = await known.get(deadline);
        if (proof.holds(request, entries, now())) return { holds: true };
        return {
          holds: false,
          async again() {
            const newer = await known.beyond(entries, deadline);
            return newer !== undefined && proof.holds(request, newer, now());
          },
        };
      },
      ...(proof.messageId === undefined ? {} : { messageId: proof.messageId }),
    };
  }

  function byIssuer(settings: JwtVerification): Verifier {
    const kept = `${settings.issuer} ${settings.jwksUri}`;
    const known = issuers.get(kept) ?? createIssuer(settings, send, now);
    issuers.set(kept, known);
    return jwtVerifier(settings, known);
  }

  return function createVerifier(settings) {
    switch (settings.type) {
      case 'basic':
        return bySecret(basic, settings.type, settings.secret);
      case 'api-key':
        return { ...bySecret(apiKey(settings), settings.type, settings.secret), keyHeader: settings.header };
      case 'hmac':
        return bySecret(hmac(settings), settings.type, settings.secret);
      case 'standard-webhooks':
        return bySecret(standardWebhooks(settings), settings.type, settings.secret);
      case 'jwt':
        return byIssuer(settings);
      case 'iam':
        return SIGNED_FOR_AWS;
      case 'none':
        return ANYONE;
    }
  };
}
