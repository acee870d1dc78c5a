/** What only the text of serverless.yml tells, and no reader of YAML passes on: which key stands twice, and what is misspelt beside `custom`. */
import { nearest } from '../../functions/settings/nearest.ts';

/** Top level of serverless.yml that is ours to check; what else stands there is the framework's. */
const CUSTOM = 'custom';

/** @param place `19:7`, as the framework tells it @returns undefined if no key stands there */
export function keyAt(text: string, place: string): string | undefined {
  const [line = 0, column = 0] = place.split(':').map(Number);
  const found = /^(["']?)([\w.-]+)\1\s*:/.exec((text.split(/\r?\n/)[line - 1] ?? '').slice(column - 1));
  return found?.[2];
}

/** @returns the key that was probably meant to be `custom`; undefined where there is none, or `custom` itself */
export function misspeltCustom(text: string): string | undefined {
  const keys = [...text.matchAll(/^([A-Za-z]+)\s*:/gm)].map(([, key]) => key ?? '');
  return keys.includes(CUSTOM) ? undefined : keys.find((key) => nearest(key, [CUSTOM]) !== undefined);
}
