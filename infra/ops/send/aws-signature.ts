/**
 * A request that is signed for AWS, for a webhook behind `iam`: by the SDK's own signer, with the access key that was
 * given, or the credentials that the SDK's SQS client finds in the usual places.
 *
 * @see AWS IAM User Guide, "AWS Signature Version 4 for API requests"
 */
import { createHash, createHmac } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Mistake } from '../replay/mistake.ts';
import type { SendCommand } from './arguments.ts';
import type { SendRequest } from './request.ts';

export async function signedForAws(
  request: SendRequest,
  command: Pick<SendCommand, 'region' | 'service' | 'atMs' | 'entry'>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SendRequest> {
  const { url, method, body } = request;
  const region =
    command.region ?? environment.AWS_REGION ?? /\.(\w+(?:-\w+)+-\d)\.(?:amazonaws\.com|on\.aws)/.exec(url.host)?.[1];
  if (region === undefined) throw new Mistake('--verify iam wants --region; see --help');
  const service = command.service ?? (url.hostname.includes('.lambda-url.') ? 'lambda' : 'execute-api');
  const { entry } = command;
  const given = entry !== undefined && 'accessKeyId' in entry ? { credentials: entry } : {};
  const client = new SQSClient({ region, ...given });
  const signer = new SignatureV4({
    credentials: client.config.credentials,
    region,
    service,
    sha256: Sha256 as never,
  });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...request.headers, host: url.host },
      body,
    },
    { signingDate: new Date(command.atMs) },
  );
  // fetch and curl write it themselves.
  const { host, ...headers } = signed.headers;
  return { ...request, headers };
}

/** What the signer calls with `new`: a hash, or with a secret a keyed one. */
function Sha256(secret?: string | Uint8Array) {
  const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  return { update: (data: string | Uint8Array) => void hash.update(data), digest: async () => hash.digest() };
}
