/**
 * The keys with which the authorization server signs JSON Web Tokens: RS256, named by `kid`, published as a JWK set, at
 * most two at a time (SAP: "Rotate Signing Keys of Access Tokens"). What is signed is for `access-tokens.ts`, who
 * trusts the keys is for the runtime node.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { hex, type RandomBytes, systemRandom } from '../identifiers.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A public key as UAA publishes it: a JWK with the PEM beside it. */
export interface PublishedKey {
  readonly kid: string;
  readonly alg: 'RS256';
  readonly value: string;
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly n: string;
  readonly e: string;
}

export interface SigningKeysOptions {
  readonly random?: RandomBytes;
  /** Makes an RSA pair. Default: a new one of 2048 bits; a simulation hands in pairs that it made before. */
  readonly generateKeyPair?: () => KeyPair;
}

export interface SigningKeys {
  /** Signs with the newest key; `jku` is the URL of the JWK set. */
  sign(claims: JWTPayload, jku: string): Promise<string>;
  published(): { readonly keys: readonly PublishedKey[] };
  /**
   * A new key signs from now on. `keepOld` keeps the previous one published, so what it signed stays valid; without, as
   * in a forced rotation, every token signed so far is invalid at once. (On BTP a new key becomes active after 48 h.)
   */
  rotate(options?: { readonly keepOld?: boolean }): void;
  /** Counts forced rotations: whoever remembers keys of another version must forget them. */
  version(): number;
}

interface SigningKey extends KeyPair {
  readonly kid: string;
}

/** One key to begin with. */
export function createSigningKeys(options: SigningKeysOptions = {}): SigningKeys {
  const { random = systemRandom, generateKeyPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 }) } =
    options;
  const newKey = (): SigningKey => ({ kid: `default-jwt-key-${hex(random, 5)}`, ...generateKeyPair() });
  let active = newKey();
  let previous: SigningKey | undefined;
  let version = 0;

  return {
    sign: (claims, jku) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', jku, kid: active.kid, typ: 'JWT' })
        .sign(active.privateKey),
    published: () => ({ keys: (previous === undefined ? [active] : [active, previous]).map(publish) }),
    rotate: ({ keepOld = false } = {}) => {
      previous = keepOld ? active : undefined;
      active = newKey();
      if (!keepOld) version += 1;
    },
    version: () => version,
  };
}

function publish({ kid, publicKey }: SigningKey): PublishedKey {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const value = publicKey.export({ format: 'pem', type: 'spki' }).toString().trim();
  return { kid, alg: 'RS256', value, kty: 'RSA', use: 'sig', n, e };
}
