/**
 * Secrets Manager of the local landscape: its operations behind HTTP, what was read of it, and the faults that tests
 * cause. Operations are `secrets-manager/api.ts`, secrets are `secrets-manager/service.ts` and
 * `secrets-manager/secret.ts`.
 */

import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import { type Answer, type LocalServer, type Request, startServer } from '../../server/server.ts';
import { AwsError, errorAnswer, type JsonObject, jsonAnswer, readCall } from '../aws-json.ts';
import { callSecretsManager } from './api.ts';
import { secretsError } from './error.ts';
import { createSecretsService, type SecretsOptions } from './service.ts';

export interface SecretsManagerOptions extends SecretsOptions {
  /** Default any free one. */
  readonly port?: number;
  /** Told each GetSecretValue when it is answered. */
  readonly onRead?: (read: SecretRead) => void;
}

/** One GetSecretValue that was answered. */
export interface SecretRead {
  /** Epoch ms. */
  readonly at: number;
  /** Name or ARN, as it was asked for. */
  readonly secretId: string;
  readonly versionId?: string;
  readonly versionStage?: string;
  /** HTTP status of the answer. */
  readonly status: number;
}

export interface SecretsManager {
  readonly url: string;
  readonly server: LocalServer;
  /** Creates the secret, or gives it a new current version; an object becomes JSON. A deletion is called off. */
  put(name: string, value: string | object): { readonly arn: string; readonly versionId: string };
  readonly reads: readonly SecretRead[];
  /** Takes the caller's permission for a secret away, or gives it back: AccessDeniedException. */
  denyAccess(name: string, on: boolean): void;
  /** Takes the use of the secret's KMS key away, or gives it back: DecryptionFailure. */
  disableKey(name: string, on: boolean): void;
  /** ThrottlingException to every request, until it is called off. */
  throttle(on: boolean): void;
  /** Resolves when GetSecretValue was answered `count` times. @throws Error after `timeoutMs`, default 10,000 */
  waitForReads(count: number, options?: WaitOptions): Promise<void>;
  /** The core without a socket. */
  answer(request: Request): Answer;
}

export async function startSecretsManager({
  port,
  onRead,
  ...options
}: SecretsManagerOptions = {}): Promise<SecretsManager> {
  const service = createSecretsService(options);
  const changes = createChanges();
  const reads: SecretRead[] = [];
  let throttled = false;

  function answer(request: Request): Answer {
    const requestId = service.newId();
    try {
      const { operation, input } = readCall(request, 'secretsmanager');
      const answered = answerCall(operation, input, requestId);
      if (operation === 'GetSecretValue') record(input, answered.status);
      return answered;
    } catch (error) {
      return refusal(error, requestId);
    }
  }

  function answerCall(operation: string, input: JsonObject, requestId: string): Answer {
    try {
      if (throttled) throw secretsError('ThrottlingException', 'Rate exceeded');
      return jsonAnswer('1.1', requestId, callSecretsManager(service, operation, input));
    } catch (error) {
      return refusal(error, requestId);
    }
  }

  function record(
    { SecretId: id, VersionId: versionId, VersionStage: versionStage }: JsonObject,
    status: number,
  ): void {
    const read: SecretRead = {
      at: service.now(),
      secretId: String(id),
      ...(typeof versionId === 'string' ? { versionId } : {}),
      ...(typeof versionStage === 'string' ? { versionStage } : {}),
      status,
    };
    reads.push(read);
    onRead?.(read);
    changes.announce();
  }

  function put(name: string, given: string | object): { arn: string; versionId: string } {
    const value = { string: typeof given === 'string' ? given : JSON.stringify(given) };
    service.announce(value);
    const secret = service.lookUp(name) ?? service.create(name);
    secret.deletionAt = undefined;
    return { arn: secret.arn, versionId: secret.put(service.newId(), value, ['AWSCURRENT']).id };
  }

  const server = await startServer(answer, port === undefined ? {} : { port });
  return {
    url: server.url,
    server,
    put,
    reads,
    denyAccess: (name, on) => service.setTrouble(name, 'access denied', on),
    disableKey: (name, on) => service.setTrouble(name, 'key disabled', on),
    throttle: (on) => {
      throttled = on;
    },
    waitForReads: (count, waiting) => changes.untilCount(count, 'readings of secrets', () => reads.length, waiting),
    answer,
  };
}

function refusal(error: unknown, requestId: string): Answer {
  if (error instanceof AwsError) return errorAnswer('1.1', requestId, error);
  throw error;
}
