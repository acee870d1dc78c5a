/**
 * The schema of `custom.destinations.<name>.cutover`: from when on, for how many messages, and what differs of the way to
 * SAP. What does not differ is the destination's.
 */
import * as v from 'valibot';
import { isRecord } from '../../untrusted.ts';
import { adapterFields, strangerTo } from './adapter.ts';
import { fieldProblem, whole } from './fields.ts';

/** The settings of a destination that say how SAP is called. All others are of the queue, or of the message itself. */
export const WAY_FIELDS = [
  'secret',
  'url',
  'path',
  'query',
  'headers',
  'tokenFormat',
  'scope',
  'maxTokenUseSeconds',
  'authentication',
  'timeoutSeconds',
  'monitor',
  ...Object.keys(adapterFields),
];

const SINCE = 'expected a time with its offset, such as 2027-03-06T20:00:00Z or 2027-03-06T21:00:00+01:00';
const TIME =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

export const cutoverFields = {
  since: v.pipe(
    v.string(SINCE),
    v.check(isTime, SINCE),
    v.transform((text) => Date.parse(text)),
  ),
  share: v.optional(whole(0, 100, 'per cent'), 100),
};

export const cutover = v.object(
  cutoverFields,
  fieldProblem('expected an object with since and what differs of the way to SAP'),
);

/** `Date.parse` takes 30 February for 2 March. */
function isTime(text: string): boolean {
  const [, day] = TIME.exec(text) ?? [];
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return day !== undefined && !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}

/**
 * The destination as its new side would be written: its own settings, and in their place those of `cutover`.
 *
 * @param written the destination, with an object as `cutover`
 */
export function newSideOf(written: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { cutover: block, ...own }: Record<string, unknown> = written;
  const differing = Object.entries(isRecord(block) ? block : {}).filter(([field]) => WAY_FIELDS.includes(field));
  const side = Object.fromEntries(differing);
  // The one takes the place of the other.
  if ('url' in side) delete own.path;
  if ('path' in side) delete own.url;
  if (typeof side.adapter === 'string' && side.adapter !== own.adapter) {
    for (const field of Object.keys(own)) if (strangerTo(side.adapter, field)) delete own[field];
  }
  return { ...own, ...side };
}
