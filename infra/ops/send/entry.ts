/** What a sender shares with the webhook, as an operator writes it down: plain, or as it lies in Secrets Manager. */
import { isRecord, parseJson } from '../../../functions/untrusted.ts';
import { Mistake } from '../replay/mistake.ts';

/** `username` and `password`, an access key of AWS, or one value. */
export type Entry =
  | { readonly username: string; readonly password: string }
  | { readonly accessKeyId: string; readonly secretAccessKey: string }
  | { readonly value: string };

/** @throws Mistake which names what was expected and not what it found */
export function readEntry(kind: string, secret: string): Entry {
  const stored = storedEntry(secret);
  if (kind === 'basic') {
    const { username, password } = stored ?? {};
    if (typeof username === 'string' && typeof password === 'string') return { username, password };
    const colon = secret.indexOf(':');
    if (colon < 1 || stored !== undefined)
      throw new Mistake('--secret: expected user:password, or JSON with username and password');
    return { username: secret.slice(0, colon), password: secret.slice(colon + 1) };
  }
  if (kind === 'iam') {
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = stored ?? {};
    if (typeof accessKeyId === 'string' && typeof secretAccessKey === 'string') return { accessKeyId, secretAccessKey };
    throw new Mistake('--secret: expected JSON with AccessKeyId and SecretAccessKey');
  }
  const value = stored === undefined ? secret : kind === 'api-key' ? stored.key : stored.secret;
  if (typeof value !== 'string' || value === '')
    throw new Mistake(`--secret: expected a text, or JSON with ${kind === 'api-key' ? 'key' : 'secret'}`);
  return { value };
}

/** Of a list its first: the one that was added last may not have reached the sender yet. */
function storedEntry(secret: string): Record<string, unknown> | undefined {
  if (!/^\s*[[{]/.test(secret)) return undefined;
  const json = parseJson(secret);
  const [first]: unknown[] = Array.isArray(json) ? json : [json];
  return isRecord(first) ? first : undefined;
}
