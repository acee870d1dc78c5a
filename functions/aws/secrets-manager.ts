/** Secrets Manager, and the one file that imports its client: reads a version of a secret, or says who must act. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { RelayError } from '../error.ts';
import type { Send } from '../http/http.ts';
import { createRequestHandler } from './request-handler.ts';

/** One version of a secret. */
export interface Secret {
  readonly text: string;
  readonly versionId: string;
}

/** Which version of a secret: the one in use, or the one before it. */
export type VersionStage = 'AWSCURRENT' | 'AWSPREVIOUS';

/**
 * Reads a version of a secret.
 *
 * @param secretId name or ARN
 * @param stage default `AWSCURRENT`
 * @throws RelayError `SECRET_NOT_FOUND` (or no such version), `SECRET_UNREADABLE` (marked for deletion, no permission),
 * `SECRET_UNAVAILABLE` (throttled, no answer), `SECRET_MALFORMED` (binary)
 */
export type ReadSecret = (secretId: string, signal?: AbortSignal, stage?: VersionStage) => Promise<Secret>;

/** Errors of GetSecretValue that only an operator ends; the AWS API reference lists them. */
const OPERATOR_MUST: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'does not exist, or has no current version; the operator must create it',
  InvalidRequestException: 'is marked for deletion or has no value; the operator must restore it',
  DecryptionFailure: 'cannot be decrypted; the operator must allow the function kms:Decrypt with its key',
  AccessDeniedException: 'may not be read; the operator must allow the function secretsmanager:GetSecretValue',
  InvalidParameterException: 'cannot be read by this name; the operator must correct the setting',
  ValidationException: 'cannot be read by this name; the operator must correct the setting',
};

/**
 * @param send the relay's own client, which the SDK's requests go by as well
 * @param environment for the region; credentials and endpoint are the SDK's own to find. Default `process.env`
 */
export function createSecretReader(
  send: Send,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ReadSecret {
  const { AWS_REGION: region } = environment;
  const client = new SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: createRequestHandler(send),
  });

  return async function readSecret(secretId, signal, stage) {
    try {
      const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage });
      const { SecretString, VersionId } = await client.send(
        command,
        signal === undefined ? {} : { abortSignal: signal },
      );
      if (SecretString !== undefined) return { text: SecretString, versionId: VersionId ?? '' };
    } catch (error) {
      throw unreadable(secretId, error);
    }
    throw new RelayError(
      'SECRET_MALFORMED',
      `secret "${secretId}": expected a text, found a binary; the operator must store JSON text`,
    );
  };
}

function unreadable(secretId: string, cause: unknown): RelayError {
  const name = cause instanceof Error ? cause.name : 'unknown error';
  const must = OPERATOR_MUST[name];
  if (must !== undefined)
    return new RelayError(
      name === 'ResourceNotFoundException' ? 'SECRET_NOT_FOUND' : 'SECRET_UNREADABLE',
      `secret "${secretId}" ${must}`,
      { cause },
    );
  const why = cause instanceof RelayError ? cause.message : name;
  return new RelayError(
    'SECRET_UNAVAILABLE',
    `secret "${secretId}" could not be read now (${why}); a later try may help`,
    {
      cause,
    },
  );
}
