/**
 * The ways in that the settings name, made once for an execution environment. A secret is read for all the webhooks that
 * name it, an issuer is asked for its keys for all that trust it; the code for tokens is loaded when the first one has to be checked.
 */
import type { ReadSecret } from '../../aws/secrets-manager.ts';
import type { Clock, Deadline } from '../../deadline.ts';
import type { Send } from '../../http/http.ts';
import type { JwtVerification, Verification } from '../../settings/verification.ts';
import { createKnown, type Known } from '../../warm/rereadable.ts';
import type { Warm } from '../../warm/warm.ts';
import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { readEntries } from './entries.ts';
import { hmac } from './hmac.ts';
import { createIssuer, jwtVerifier } from './issuer.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Proof } from './proof.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import type { Verifier } from './verifier.ts';

export interface VerifiersOptions {
  readonly readSecret: ReadSecret;
  /** For the keys of issuers. */
  readonly send: Send;
  readonly clock: Clock & { readonly now: () => number };
  /** Told what is kept warm: its renewals end with the invocation that they run beside. */
  readonly keepWarm: (value: Warm<object>) => void;
}

/**
 * After this a secret is read again beside the work, in milliseconds: while good requests alone come, no check fails, and nothing
 * else would find out what was taken off the list.
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
  const secrets = new Map<string, Known<unknown[]>>();
  const issuers = new Map<string, Known<IssuerKeys>>();

  function entriesOf<F extends string, E>(proof: Proof<F, E>, secret: string): Known<E[]> {
    const load = async ({ signal }: Deadline) => readEntries(await readSecret(secret, signal), secret, proof);
    return createKnown({ load, dueAfterMs: DUE_AFTER_MS, clock });
  }

  function bySecret<F extends string, E>(proof: Proof<F, E>, type: Verifier['type'], secret: string): Verifier {
    // Of one type, entries are of one form.
    const known = kept(secrets, `${type} ${secret}`, () => entriesOf(proof, secret)) as Known<E[]>;
    return {
      type,
      async check(request, { deadline }) {
        if (!proof.isPresentedBy(request)) return { judgement: 'no-credentials' };
        const entries = await known.get(deadline);
        const judgement = proof.judge(request, entries, now());
        if (judgement === 'holds') return { judgement };
        return {
          judgement,
          async again() {
            const newer = await known.beyond(entries, deadline);
            return newer === undefined ? judgement : proof.judge(request, newer, now());
          },
        };
      },
      ...(proof.messageIdOf === undefined ? {} : { messageIdOf: proof.messageIdOf }),
    };
  }

  function byIssuer(settings: JwtVerification): Verifier {
    const key = `${settings.issuer} ${settings.jwksUri}`;
    return jwtVerifier(
      settings,
      kept(issuers, key, () => createIssuer(settings, send, clock)),
    );
  }

  function kept<T extends object>(all: Map<string, Known<T>>, key: string, make: () => Known<T>): Known<T> {
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
