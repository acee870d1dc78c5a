/**
 * Makes the verifiers that the settings name, once for an execution environment. Webhooks with the same secret share
 * what was read of it, webhooks with the same issuer share its keys. The code for tokens is loaded with the first
 * token.
 */
import type { ReadSecret } from '../../aws/secrets-manager.ts';
import type { Clock, Deadline } from '../../deadline.ts';
import type { Send } from '../../http/http.ts';
import type { JwtVerification, Verification } from '../../settings/verification.ts';
import { createRereadable, type Rereadable } from '../../warm/rereadable.ts';
import type { Warm } from '../../warm/warm.ts';
import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { hmac } from './hmac.ts';
import { createIssuer, jwtVerifier } from './issuer.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { readEntries, type Scheme } from './scheme.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import type { Verifier } from './verifier.ts';

export interface VerifiersOptions {
  readonly readSecret: ReadSecret;
  /** For the keys of issuers. */
  readonly send: Send;
  readonly clock: Clock & { readonly now: () => number };
  /** Called with each value that is kept warm, so that its renewals end with the invocation. */
  readonly keepWarm: (value: Warm<object>) => void;
}

/**
 * Age at which a secret is read again in the background, in milliseconds. While all requests are good no check fails,
 * so nothing else would notice that an entry was removed.
 */
const DUE_AFTER_MS = 600_000;
const SIGNED_FOR_AWS: Verifier = {
  type: 'iam',
  check: async ({ iamIdentity = '' }) => ({ judgement: iamIdentity === '' ? 'no-credentials' : 'holds' }),
};
const ANYONE: Verifier = { type: 'none', check: async () => ({ judgement: 'holds' }) };

/** @returns what makes the verifier for an entry of `webhook.verify` */
export function createVerifiers(options: VerifiersOptions): (settings: Verification) => Verifier {
  const { readSecret, send, clock, keepWarm } = options;
  const { now } = clock;
  const secrets = new Map<string, Rereadable<unknown[]>>();
  const issuers = new Map<string, Rereadable<IssuerKeys>>();

  function entriesOf<F extends string, E>(scheme: Scheme<F, E>, secret: string): Rereadable<E[]> {
    const load = async ({ signal }: Deadline) => readEntries(await readSecret(secret, signal), secret, scheme);
    return createRereadable({ load, dueAfterMs: DUE_AFTER_MS, clock });
  }

  function bySecret<F extends string, E>(scheme: Scheme<F, E>, type: Verifier['type'], secret: string): Verifier {
    // All entries of one type have the same form.
    const known = kept(secrets, `${type} ${secret}`, () => entriesOf(scheme, secret)) as Rereadable<E[]>;
    return {
      type,
      async check(request, deadline) {
        if (!scheme.isPresentedBy(request)) return { judgement: 'no-credentials' };
        const entries = await known.get(deadline);
        const judgement = scheme.judge(request, entries, now());
        if (judgement === 'holds') return { judgement };
        return {
          judgement,
          async again() {
            const newer = await known.newerThan(entries, deadline);
            return newer === undefined ? judgement : scheme.judge(request, newer, now());
          },
        };
      },
      ...(scheme.messageIdOf === undefined ? {} : { messageIdOf: scheme.messageIdOf }),
    };
  }

  function byIssuer(settings: JwtVerification): Verifier {
    const key = `${settings.issuer} ${settings.jwksUri}`;
    return jwtVerifier(
      settings,
      kept(issuers, key, () => createIssuer(settings, send, clock)),
      now,
    );
  }

  function kept<T extends object>(
    all: Map<string, Rereadable<T>>,
    key: string,
    make: () => Rereadable<T>,
  ): Rereadable<T> {
    const before = all.get(key);
    if (before !== undefined) return before;
    const made = make();
    all.set(key, made);
    keepWarm(made.warm);
    return made;
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
