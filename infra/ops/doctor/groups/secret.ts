/** The secret with the client credentials: there, readable, and in one of the forms that the relay takes, by its own reader. */
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { Secret } from '../../../../functions/aws/secrets-manager.ts';
import { RelayError } from '../../../../functions/error.ts';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { type Credentials, readCredentials } from '../../../../functions/token/credentials.ts';
import { errorName, whyNot } from '../clients.ts';
import type { FindingId } from '../findings.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';

const TROUBLES: Readonly<Record<string, readonly [FindingId, string]>> = {
  ResourceNotFoundException: ['secret-missing', 'does not exist here, or has no current version'],
  InvalidRequestException: ['secret-deleted', 'is marked for deletion, or has no value'],
  DecryptionFailure: ['secret-undecryptable', 'cannot be decrypted with its key in KMS'],
};

export interface LookedAtSecret {
  readonly lines: readonly Line[];
  /** Both, or neither. */
  readonly read?: { readonly secret: Secret; readonly credentials: Credentials };
}

export async function lookAtSecret(destination: Destination, looking: Looking): Promise<LookedAtSecret> {
  const { secret: name, authentication } = destination;
  const secret = await readSecret(name, looking);
  if ('result' in secret) return { lines: [secret] };
  try {
    const credentials = readCredentials(secret, name);
    if (authentication === 'certificate' && !('certificate' in credentials.clientAuthentication)) {
      const wanted = `"${name}": expected a service key with certificate and key, since the endpoint is called with them`;
      return { lines: [finding('secret-malformed', wanted)] };
    }
    return { lines: [fine('secret', 'secret', `${name}: ${formOf(credentials)}`)], read: { secret, credentials } };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { lines: [finding('secret-malformed', error.message)] };
  }
}

/** By the caller's rights, which may be others than the function's. */
export async function readSecret(name: string, { clients, signal }: Looking): Promise<Secret | Line> {
  try {
    const command = new GetSecretValueCommand({ SecretId: name, VersionStage: 'AWSCURRENT' });
    const { SecretString, VersionId = '' } = await clients.secrets.send(command, { abortSignal: signal });
    if (SecretString !== undefined) return { text: SecretString, versionId: VersionId };
    return finding('secret-malformed', `secret "${name}": expected JSON text, found a binary`);
  } catch (error) {
    const [id, words] = TROUBLES[errorName(error)] ?? [];
    if (id !== undefined) return finding(id, `secret "${name}" ${words}`);
    return hindered('secret', 'secret', `"${name}": ${whyNot(error, 'secretsmanager:GetSecretValue')}`);
  }
}

function formOf({ environment, clientAuthentication, serviceUrl }: Credentials): string {
  const where = environment === 'neo' ? 'Neo' : 'Cloud Foundry';
  const by = 'certificate' in clientAuthentication ? 'certificate' : 'client secret';
  return `${where}, ${by}, ${serviceUrl === undefined ? 'no url of a runtime node' : 'with the url of the runtime node'}`;
}
