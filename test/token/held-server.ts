/**
 * A secret and an authorization server for the model of a warm token: a request is held until the test answers it. What
 * they see is reported as it happens; whether it was right to ask is for the model.
 */
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer, HttpRequest, Send } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { answer, granted } from '../doubles/answer.ts';
import { cf } from './clients.ts';

export type Answered = 'as it decides' | 'down' | 'cut off' | 'slow down';
export type Rotated = 'at both ends' | 'at the server' | 'in the store';

/** `as it decides`: to a client secret that it does not know. */
const FAILURES: Readonly<Record<Answered, HttpAnswer | RelayError>> = {
  'as it decides': answer(401, { error: 'invalid_client' }),
  down: answer(503),
  'slow down': answer(429, '', { 'retry-after': '40' }),
  'cut off': new RelayError('CONNECTION_FAILED', 'cut off'),
};

/** With one version of the secret; three versions are tried at most. */
const TRIES = 4;
const VERSIONS = 3;

export interface HeldServerOptions {
  /** Told at the first request of a load. */
  readonly onLoad: () => void;
  readonly onRequest: () => void;
  readonly onSecretRead: () => void;
  /** Told of a rule that does not hold. */
  readonly onBroken: (words: string) => void;
}

export interface HeldServer {
  readonly send: Send;
  /** How many tokens it has issued. */
  readonly minted: number;
  readonly rotations: number;
  readCurrent(): Credentials;
  readPrevious(): Credentials | undefined;
  /** The request that is under way, if one is, gets its answer. */
  answer(how: Answered, lifetimeSeconds: number): void;
  rotate(where: Rotated): void;
  /** Both ends know the same again. */
  heal(): void;
}

export function createHeldServer({ onLoad, onRequest, onSecretRead, onBroken }: HeldServerOptions): HeldServer {
  /** The client secrets that each load came with, in their order. A load is known by its signal. */
  const loads = new Map<AbortSignal, string[]>();
  let pending: { readonly secret: string; readonly settle: (answered: HttpAnswer | RelayError) => void } | undefined;
  let stored = { current: 'one', previous: undefined as string | undefined, version: 1 };
  let accepted = 'one';
  let minted = 0;
  let rotations = 0;

  function credentialsWith(clientSecret: string, version: number): Credentials {
    onSecretRead();
    return { ...cf, clientAuthentication: { clientSecret }, versionId: `v${version}` };
  }

  function note(signal: AbortSignal, secret: string): void {
    const before = loads.get(signal) ?? [];
    if (before.length === 0) onLoad();
    onRequest();
    loads.set(signal, [...before, secret]);
    if (before.filter((one) => one === secret).length >= TRIES) onBroken(`more than ${TRIES} requests with one secret`);
    if (new Set([...before, secret]).size > VERSIONS) onBroken(`more than ${VERSIONS} versions of the secret`);
    if (pending !== undefined) onBroken('two token requests are in flight');
  }

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const { signal } = request;
    if (signal === undefined) throw new Error('a request without a signal');
    const secret = new URLSearchParams(String(await request.body?.open())).get('client_secret') ?? '';
    // As the HTTP client: of a request whose time is over nothing leaves.
    if (signal.aborted) throw new RelayError('DEADLINE', 'given up');
    note(signal, secret);
    return new Promise((resolve, reject) => {
      const settle = (answered: HttpAnswer | RelayError) => {
        signal.removeEventListener('abort', abort);
        pending = undefined;
        if (answered instanceof RelayError) reject(answered);
        else resolve(answered);
      };
      const abort = () => settle(new RelayError('DEADLINE', 'given up'));
      pending = { secret, settle };
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  return {
    send,
    get minted() {
      return minted;
    },
    get rotations() {
      return rotations;
    },
    readCurrent: () => credentialsWith(stored.current, stored.version),
    readPrevious: () =>
      stored.previous === undefined ? undefined : credentialsWith(stored.previous, stored.version - 1),
    answer(how, lifetimeSeconds) {
      if (pending === undefined) return;
      const isMinted = how === 'as it decides' && pending.secret === accepted;
      if (isMinted) minted += 1;
      pending.settle(isMinted ? granted(`token-${minted}`, { expires_in: lifetimeSeconds }) : FAILURES[how]);
    },
    rotate(where) {
      const next = `secret-${rotations}`;
      rotations += 1;
      if (where !== 'in the store') accepted = next;
      if (where !== 'at the server') stored = { current: next, previous: stored.current, version: stored.version + 1 };
    },
    heal() {
      accepted = stored.current;
    },
  };
}
