/** A destination's webhook: its function, and what its senders prove themselves with, by the webhook's own readers. */
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import type { Deadline } from '../../../../functions/deadline.ts';
import { RelayError } from '../../../../functions/error.ts';
import type { WebhookSettings } from '../../../../functions/settings/destination.ts';
import type { Verification } from '../../../../functions/settings/verification.ts';
import { apiKey } from '../../../../functions/webhook/verification/api-key.ts';
import { basic } from '../../../../functions/webhook/verification/basic.ts';
import { hmac } from '../../../../functions/webhook/verification/hmac.ts';
import { fetchIssuerKeys } from '../../../../functions/webhook/verification/issuer-keys.ts';
import { readEntries, type Scheme } from '../../../../functions/webhook/verification/scheme.ts';
import { standardWebhooks } from '../../../../functions/webhook/verification/standard-webhooks.ts';
import { errorName, whyNot } from '../clients.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';
import { readSecret } from './secret.ts';

const TIMEOUT_MS = 5_000;

export async function lookAtWebhook(
  { verify }: WebhookSettings,
  place: { readonly service: string; readonly stage: string },
  looking: Looking,
): Promise<Line[]> {
  const lines = [await lookAtFunction(`${place.service}-${place.stage}-webhook`, looking)];
  for (const way of verify) lines.push(await lookAtWay(way, looking));
  return lines;
}

async function lookAtFunction(name: string, { clients, signal }: Looking): Promise<Line> {
  try {
    await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }), { abortSignal: signal });
    return fine('webhook', 'webhook', `${name} is there`);
  } catch (error) {
    if (errorName(error) !== 'ResourceNotFoundException') {
      return hindered('webhook', 'webhook', whyNot(error, 'lambda:GetFunctionConfiguration'));
    }
    return finding('webhook-function-missing', `there is no function ${name}: senders are answered 404`);
  }
}

async function lookAtWay(way: Verification, looking: Looking): Promise<Line> {
  switch (way.type) {
    case 'none':
      return finding('webhook-open', 'verify is none: whoever knows the URL can send');
    case 'iam':
      return fine('webhook', 'verify', 'iam: the gateway checks AWS signatures');
    case 'jwt':
      return lookAtIssuer(way, looking);
    default:
      return lookAtProof(way, looking);
  }
}

async function lookAtIssuer(way: Extract<Verification, { type: 'jwt' }>, { send, signal }: Looking): Promise<Line> {
  const deadline: Deadline = { remainingMs: () => TIMEOUT_MS, signal };
  try {
    await fetchIssuerKeys(way, send, deadline);
    return fine('webhook', 'verify', `jwt: the keys of ${way.issuer} are there`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RelayError)) throw error;
    return finding('issuer-not-reached', error.message);
  }
}

type BySecret = Exclude<Verification, { type: 'none' | 'iam' | 'jwt' }>;

async function lookAtProof(way: BySecret, looking: Looking): Promise<Line> {
  const secret = await readSecret(way.secret, looking);
  if ('result' in secret) {
    const { result, reason } = secret;
    if (result === 'not-checked') return { ...secret, group: 'webhook', id: 'verify' };
    return finding(secret.id === 'secret-malformed' ? 'webhook-secret-malformed' : 'webhook-secret-missing', reason);
  }
  try {
    const entries = readEntries(secret, way.secret, schemeOf(way));
    const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
    return fine('webhook', 'verify', `${way.type}: "${way.secret}" has ${count}`);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return finding('webhook-secret-malformed', error.message);
  }
}

function schemeOf(way: BySecret): Pick<Scheme<string, unknown>, 'fields' | 'keep'> {
  switch (way.type) {
    case 'basic':
      return basic;
    case 'api-key':
      return apiKey(way);
    case 'hmac':
      return hmac(way);
    case 'standard-webhooks':
      return standardWebhooks(way);
  }
}
