/**
 * The function's one environment variable, `DESTINATIONS`: the settings as the operator wrote them, with what the
 * deployment knows about the queues. Above 3.5 KB it is a file beside the bundle, since Lambda has 4 KB for everything;
 * CloudFormation cannot fill a URL into a file, and the function then derives what it needs from its queue's ARN.
 */
import type { Configuration, Destination } from './destination.ts';
import { deadLetterQueueId, queueId } from './queue.ts';
import { join, ref, type Value } from './template.ts';

/** Name of the file in the zip, beside the bundles. */
export const DESTINATIONS_FILE = 'destinations.json';
/** A queue's URL at its longest: `https://sqs.ap-southeast-1.amazonaws.com/123456789012/` and a name of 80 characters. */
const URL_BYTES = 135;
/** Of the 4 KB; the rest is for what the user or a layer adds. */
const LARGEST_VARIABLE_BYTES = 3584;

export interface DestinationsVariable {
  /** Value of `DESTINATIONS`. */
  readonly value: Value;
  /** Content of `destinations.json`, where the value names it. */
  readonly file?: string;
}

export function destinationsVariable({ destinations }: Configuration): DestinationsVariable {
  const value = inline(destinations);
  // The length with real URLs in it counts: of an account's digits every one is as long as another.
  const bytes = value.reduce<number>(
    (sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : URL_BYTES),
    0,
  );
  if (bytes <= LARGEST_VARIABLE_BYTES) return { value: join(...value) };
  const written = destinations.map(({ settings: { name }, written }) => [name, written]);
  return { value: `@${DESTINATIONS_FILE}`, file: JSON.stringify(Object.fromEntries(written)) };
}

function inline(destinations: readonly Destination[]): Value[] {
  const entries = destinations.flatMap(({ settings: { name }, written, queue }, index): Value[] => {
    const start = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
    if (!queue.created) return [`${start}${JSON.stringify(written)}`];
    return [
      `${start}${JSON.stringify(written).slice(0, -1)},"queueUrl":"`,
      ref(queueId(name)),
      '","deadLetterQueueUrl":"',
      ref(deadLetterQueueId(name)),
      '"}',
    ];
  });
  return [...entries, '}'];
}
