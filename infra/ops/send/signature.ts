/** A request with what proves who sends it, for each kind of sender, as its documentation says that it signs. */
import { createHmac } from 'node:crypto';
import { Mistake } from '../replay/mistake.ts';
import type { Kind, SendCommand } from './arguments.ts';
import type { SendRequest } from './request.ts';

/** How the services sign that sign by an HMAC; `hmac` itself is what the command says. */
const HMAC: Readonly<
  Partial<Record<Kind, { readonly header: string; readonly encoding: 'hex' | 'base64'; readonly prefix: string }>>
> = {
  github: { header: 'X-Hub-Signature-256', encoding: 'hex', prefix: 'sha256=' },
  shopify: { header: 'X-Shopify-Hmac-Sha256', encoding: 'base64', prefix: '' },
  'sap-open-connectors': { header: 'Elements-Webhook-Signature', encoding: 'base64', prefix: 'sha256=' },
  hmac: { header: '', encoding: 'hex', prefix: '' },
};
const ID_HEADERS: Readonly<Partial<Record<Kind, string>>> = {
  github: 'X-GitHub-Delivery',
  shopify: 'X-Shopify-Webhook-Id',
  'standard-webhooks': 'webhook-id',
};

/** @param environment where the SDK finds credentials and region, for iam */
export async function signed(
  command: SendCommand,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SendRequest> {
  const { kind, method, url, messageId } = command;
  const body = Buffer.from(command.body);
  if (kind === 'handshake') {
    const headers = { ...command.headers, 'WebHook-Request-Origin': command.origin ?? '' };
    return { method, url, body, headers };
  }
  const headers = { [ID_HEADERS[kind] ?? 'X-Request-Id']: messageId, ...command.headers };
  // The SDK takes its time to load, and nothing else here needs it.
  if (kind === 'iam')
    return (await import('./aws-signature.ts')).signedForAws({ method, url, headers, body }, command, environment);
  return { method, url, body, headers: { ...headers, ...credentials(command, body) } };
}

function credentials(command: SendCommand, body: Buffer): Record<string, string> {
  const { kind, entry } = command;
  const value = entry !== undefined && 'value' in entry ? entry.value : '';
  switch (kind) {
    case 'basic': {
      const { username, password } = entry as { username: string; password: string };
      return { Authorization: `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}` };
    }
    case 'api-key':
      return { [command.keyHeader ?? 'X-Api-Key']: value };
    case 'jwt':
      return { Authorization: `Bearer ${value}` };
    case 'stripe':
      return stripe(command, value, body);
    case 'standard-webhooks':
      return standardWebhooks(command, value, body);
    default:
      return hmac(command, value, body);
  }
}

const secondsOf = ({ atMs }: SendCommand) => String(Math.floor(atMs / 1000));

function hmac({ kind, signature, ...command }: SendCommand, secret: string, body: Buffer): Record<string, string> {
  const preset = HMAC[kind as Kind];
  if (preset === undefined) return {};
  const { header = preset.header, algorithm = 'sha256', prefix = preset.prefix, timestampHeader } = signature;
  const encoding = (signature.encoding ?? preset.encoding) as 'hex' | 'base64';
  const seconds = secondsOf({ kind, signature, ...command });
  const content = signature.signedContent ?? (timestampHeader === undefined ? '{body}' : '{timestamp}.{body}');
  const [before = '', after = ''] = content.replaceAll('{timestamp}', seconds).split('{body}', 2);
  const bytes = Buffer.concat([Buffer.from(before), body, Buffer.from(after)]);
  return {
    [header]: prefix + createHmac(algorithm, secret).update(bytes).digest(encoding),
    ...(timestampHeader === undefined ? {} : { [timestampHeader]: seconds }),
  };
}

/** https://docs.stripe.com/webhooks, "Verify webhook signatures manually" */
function stripe(command: SendCommand, secret: string, body: Buffer): Record<string, string> {
  const { header = 'Stripe-Signature', algorithm = 'sha256', encoding = 'hex' } = command.signature;
  const seconds = secondsOf(command);
  const signature = createHmac(algorithm, secret).update(`${seconds}.`).update(body);
  return { [header]: `t=${seconds},v1=${signature.digest(encoding as 'hex')}` };
}

/** https://github.com/standard-webhooks/standard-webhooks, "Signature scheme" */
function standardWebhooks(command: SendCommand, secret: string, body: Buffer): Record<string, string> {
  const [, key] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (key === undefined) throw new Mistake('--secret: expected whsec_ and a key in base64');
  const seconds = secondsOf(command);
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${command.messageId}.${seconds}.`)
    .update(body);
  return { 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature.digest('base64')}` };
}
