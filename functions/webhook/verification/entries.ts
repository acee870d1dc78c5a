/**
 * The secret that senders prove themselves with: one JSON object, or a list of them while a rotation goes on. Reads it, and
 * names what is wrong with it without quoting it.
 */

import type { Secret } from '../../aws/secrets-manager.ts';
import { RelayError } from '../../error.ts';

/** How one kind of verification reads an entry: its fields, all of them texts, and what is kept of them. */
export interface EntryKind<F extends string, E> {
  readonly fields: readonly F[];
  /** @param refuse makes the error for a field whose text will not do */
  readonly keep: (entry: Readonly<Record<F, string>>, refuse: (problem: string) => Error) => E;
}

/** @throws RelayError `SECRET_MALFORMED`, naming the field and what was expected */
export function readEntries<F extends string, E>(secret: Secret, secretName: string, kind: EntryKind<F, E>): E[] {
  const refuse = (problem: string) =>
    new RelayError('SECRET_MALFORMED', `secret "${secretName}": ${problem}; the operator must correct the secret`);
  const json = parseJson(secret.text);
  const entries: unknown[] = Array.isArray(json) ? json : [json];
  const expected = `expected an object with ${kind.fields.join(' and ')}`;
  if (entries.length === 0) throw refuse(`${expected}, or a list of them`);
  return entries.map((entry) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw refuse(expected);
    const texts = kind.fields.map((field) => {
      const value = (entry as Record<string, unknown>)[field];
      if (typeof value !== 'string' || value === '') throw refuse(`"${field}": expected a text that is not empty`);
      return [field, value];
    });
    return kind.keep(Object.fromEntries(texts), refuse);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error's message quotes the secret.
    return undefined;
  }
}
