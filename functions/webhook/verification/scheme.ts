/** What the kinds of verification by a secret have in common. Each kind has its own file and knows no other kind. */
import type { Secret } from '../../aws/secrets-manager.ts';
import { RelayError } from '../../error.ts';
import { isRecord, parseJson } from '../../untrusted.ts';
import type { HttpEvent } from '../event.ts';
import type { Judgement } from './verifier.ts';

/** How senders authenticate by a secret. `F`: fields of an entry of the secret; `E`: what is kept of an entry. */
export interface Scheme<F extends string, E> {
  /** All of them texts. */
  readonly fields: readonly F[];
  /** @param refuse makes the error for a field whose text cannot be used */
  readonly keep: (entry: Readonly<Record<F, string>>, refuse: (problem: string) => Error) => E;
  /** Whether the request has credentials of this kind. The secret is only read for one that has. */
  readonly isPresentedBy: (request: HttpEvent) => boolean;
  /** Compares what such a request presents with every entry, whichever of them matches. */
  readonly judge: (request: HttpEvent, entries: readonly E[], nowMs: number) => Judgement;
  /** Where the message id of such a request is: a header's name, or a JSON pointer. */
  readonly messageIdOf?: (request: HttpEvent) => string;
}

/**
 * A secret is one entry or a list of entries; any one of them is accepted, so that a sender can change its own.
 *
 * @throws RelayError `SECRET_MALFORMED`, naming the field and what was expected
 */
export function readEntries<F extends string, E>(
  secret: Secret,
  secretName: string,
  { fields, keep }: Pick<Scheme<F, E>, 'fields' | 'keep'>,
): E[] {
  const refuse = (problem: string) =>
    new RelayError('SECRET_MALFORMED', `secret "${secretName}": ${problem}; the operator must correct the secret`);
  const json = parseJson(secret.text);
  const entries: unknown[] = Array.isArray(json) ? json : [json];
  const expected = `expected an object with ${fields.join(' and ')}`;
  if (entries.length === 0) throw refuse(`${expected}, or a list of them`);
  return entries.map((entry) => {
    if (!isRecord(entry)) throw refuse(expected);
    const texts = fields.map((field) => {
      const value = entry[field];
      if (typeof value !== 'string' || value === '') throw refuse(`"${field}": expected a text that is not empty`);
      return [field, value];
    });
    return keep(Object.fromEntries(texts), refuse);
  });
}
