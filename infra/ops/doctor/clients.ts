/** The clients of AWS's services, for the place that the command names; and what an error of theirs means to somebody who looks. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { landscapeUrl, type Place } from '../place.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Clients {
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  readonly secrets: SecretsManagerClient;
  readonly cloudWatch: CloudWatchClient;
  readonly sns: SNSClient;
}

/** Endpoints are what the SDK's own variables say, else those of the place; credentials are the SDK's own to find. */
export function createClients(place: Place, environment: Environment): Clients {
  const { region } = place;
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE } = environment;
  const optionsOf = (service: string) => {
    // A variable that is set to nothing is not set, as for the SDK.
    const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] || AWS_ENDPOINT_URL || landscapeUrl(place);
    const isLocal = endpoint !== undefined && LOOPBACK.test(new URL(endpoint).hostname);
    return {
      region,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
      ...(endpoint === undefined ? {} : { endpoint }),
      // The landscape checks no signature; without these the SDK would look for an account's credentials.
      ...(isLocal && AWS_ACCESS_KEY_ID === undefined && AWS_PROFILE === undefined
        ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
        : {}),
    };
  };
  return {
    lambda: new LambdaClient(optionsOf('LAMBDA')),
    sqs: new SQSClient({ ...optionsOf('SQS'), useQueueUrlAsEndpoint: false }),
    secrets: new SecretsManagerClient(optionsOf('SECRETS_MANAGER')),
    cloudWatch: new CloudWatchClient(optionsOf('CLOUDWATCH')),
    sns: new SNSClient(optionsOf('SNS')),
  };
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const NO_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'TokenRefreshRequired',
]);

/** The name that AWS has for the error; of one that is not AWS's its own. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** @param call as IAM writes it, `sqs:GetQueueUrl` @returns why it could not be looked at, in words */
export function whyNot(error: unknown, call: string): string {
  const name = errorName(error);
  if (NO_CREDENTIALS.has(name)) return `no valid AWS credentials (${name}): log in, or set AWS_PROFILE`;
  if (/^AccessDenied|^KMSAccessDenied|^AuthorizationError/.test(name)) return `these credentials may not call ${call}`;
  const { code } = error as NodeJS.ErrnoException;
  return `${call} failed (${code ?? name})`;
}
