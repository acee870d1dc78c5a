/**
 * The secrets of one account in one region: made, found by name and ARN, and the troubles that they can be put in. What
 * a secret holds is `secrets-manager/secret.ts`, the protocol is `secrets-manager/api.ts`.
 *
 * @see AWS: Secrets Manager User Guide, "Finding a secret from a partial ARN"
 */

import { uuid } from '../../facts/ids.ts';
import { secretsError } from './error.ts';
import { createSecret, type Secret, type SecretValue } from './secret.ts';

export interface SecretsOptions {
  /** Epoch ms. Default `Date.now`. */
  readonly now?: () => number;
  /** For ids. Default `Math.random`. */
  readonly random?: () => number;
  /** Default `eu-central-1`. */
  readonly region?: string;
  /** Default `123456789012`. */
  readonly accountId?: string;
  /**
   * Told each value as a whole and, where it is JSON, each text in it of 6 characters or more, but those whose field's
   * name ends in `url`, `id`, `certificate` or `environment`: they are no secrets.
   */
  readonly confidential?: (value: string) => void;
}

/** What may be wrong with a secret: no permission for the caller, or no use of its KMS key. */
export type Trouble = 'access denied' | 'key disabled';

export interface SecretsService {
  readonly now: () => number;
  readonly newId: () => string;
  create(name: string): Secret;
  /** By name, complete ARN, or ARN without its last hyphen and six characters. */
  lookUp(secretId: string): Secret | undefined;
  /**
   * The secret that a caller asks for.
   * @param marked also one that is marked for deletion. Default false
   * @throws AwsError AccessDeniedException, ResourceNotFoundException, InvalidRequestException
   */
  find(secretId: string, operation: string, marked?: boolean): Secret;
  remove(name: string): void;
  announce(value: SecretValue): void;
  setTrouble(name: string, trouble: Trouble, on: boolean): void;
  hasTrouble(name: string, trouble: Trouble): boolean;
}

const SUFFIX_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SUFFIX_LENGTH = 6;

export function createSecretsService(options: SecretsOptions = {}): SecretsService {
  const { now = Date.now, random = Math.random, region = 'eu-central-1', accountId = '123456789012' } = options;
  const { confidential = () => undefined } = options;
  const secrets = new Map<string, Secret>();
  const troubles = new Set<string>();

  function create(name: string): Secret {
    const character = () => SUFFIX_CHARACTERS.charAt(Math.floor(random() * SUFFIX_CHARACTERS.length));
    const suffix = Array.from({ length: SUFFIX_LENGTH }, character).join('');
    const arn = `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix}`;
    const secret = createSecret(name, arn, now);
    secrets.set(name, secret);
    return secret;
  }

  function lookUp(secretId: string): Secret | undefined {
    for (const { name, deletionAt } of secrets.values()) {
      if (deletionAt !== undefined && deletionAt <= now()) secrets.delete(name);
    }
    if (!secretId.startsWith('arn:')) return secrets.get(secretId);
    const all = [...secrets.values()];
    const withoutSuffix = (arn: string) => arn.slice(0, -SUFFIX_LENGTH - 1);
    return all.find(({ arn }) => arn === secretId) ?? all.find(({ arn }) => withoutSuffix(arn) === secretId);
  }

  function find(secretId: string, operation: string, marked = false): Secret {
    const secret = lookUp(secretId);
    // Permission comes first: a caller without it does not learn what exists.
    if (hasTrouble(secret?.name ?? secretId, 'access denied')) throw accessDenied(operation, secret?.arn ?? secretId);
    if (secret === undefined) {
      throw secretsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    if (secret.deletionAt !== undefined && !marked) {
      const text = "You can't perform this operation on the secret because it was marked for deletion.";
      throw secretsError('InvalidRequestException', text);
    }
    return secret;
  }

  function accessDenied(operation: string, resource: string): Error {
    const caller = `arn:aws:sts::${accountId}:assumed-role/relay/relay`;
    const action = `secretsmanager:${operation}`;
    const text = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`;
    return secretsError(
      'AccessDeniedException',
      `${text} because no identity-based policy allows the ${action} action`,
    );
  }

  function hasTrouble(name: string, trouble: Trouble): boolean {
    return troubles.has(`${trouble} ${name}`);
  }

  return {
    now,
    newId: () => uuid(random),
    create,
    lookUp,
    find,
    remove: (name) => {
      secrets.delete(name);
    },
    announce: (value) => {
      const text = value.string ?? Buffer.from(value.binary ?? []).toString('utf8');
      for (const part of [text, ...confidentialTexts(parsed(text))]) confidential(part);
    },
    setTrouble: (name, trouble, on) => {
      if (on) troubles.add(`${trouble} ${name}`);
      else troubles.delete(`${trouble} ${name}`);
    },
    hasTrouble,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function confidentialTexts(value: unknown, name = ''): string[] {
  if (typeof value === 'string') {
    return value.length < 6 || /(url|id|certificate|environment)$/i.test(name) ? [] : [value];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => confidentialTexts(inner, field));
}
