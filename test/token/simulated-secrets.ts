/**
 * Secrets of the landscape, read by the relay's port without AWS between them; what was read is counted by its stage.
 */
import type { ReadSecret } from '../../functions/aws/secrets-manager.ts';
import { RelayError } from '../../functions/error.ts';
import { createSecretsService } from '../../infra/local/aws/secrets-manager/service.ts';

export interface SimulatedSecrets {
  readonly readSecret: ReadSecret;
  /** Stages in the order of their reading; `none` where there is no such version. */
  readonly reads: readonly string[];
  /** A new version, which is the current one from now on. */
  put(name: string, value: object): void;
}

export function createSimulatedSecrets(now: () => number): SimulatedSecrets {
  const secrets = createSecretsService({ now });
  const reads: string[] = [];
  return {
    reads,
    async readSecret(secretId, _signal, stage = 'AWSCURRENT') {
      try {
        const { id, value } = secrets.find(secretId, 'GetSecretValue').version(undefined, stage);
        reads.push(stage);
        return { text: value.string ?? '', versionId: id };
      } catch {
        reads.push('none');
        throw new RelayError('SECRET_NOT_FOUND', `secret "${secretId}" does not exist`);
      }
    },
    put(name, value) {
      const secret = secrets.lookUp(name) ?? secrets.create(name);
      secret.put(secrets.newId(), { string: JSON.stringify(value) }, ['AWSCURRENT']);
    },
  };
}
