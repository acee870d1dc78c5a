/**
 * The function's one environment variable, `DESTINATIONS`: the settings as the operator wrote them, with what the
 * deployment knows about the queues. Above 3.5 KB it is a file beside the bundle, since Lambda has 4 KB for everything.
 */
import type { Configuration, Destination } from './destination.ts';
import { deadLetterQueueId, queueId, queueUrl } from './queue.ts';
import { join, ref, type Value } from './template.ts';

/** Name of the file in the zip, beside the bundles. */
export const DESTINATIONS_FILE = 'destinations.json';
/** Of the 4 KB; the rest is for what the user or a layer adds. */
const LARGEST_VARIABLE_BYTES = 3584;

export interface DestinationsVariable {
  /** Value of `DESTINATIONS`. */
  readonly value: Value;
  /** Content of `destinations.json`, where the value names it. */
  readonly file?: string;
  /** What the operator should know. */
  readonly notes: readonly string[];
}

export function destinationsVariable(configuration: Configuration): DestinationsVariable {
  const { destinations, region, accountId } = configuration;
  // The length with real URLs in it counts; where they are not known, the account's digits are as many.
  const whole = JSON.stringify(withUrls(destinations, region, accountId ?? '0'.repeat(12)));
  if (Buffer.byteLength(whole) <= LARGEST_VARIABLE_BYTES) return { value: join(...inline(destinations)), notes: [] };
  const file = accountId === undefined ? JSON.stringify(withUrls(destinations, region, undefined)) : whole;
  const note = `DESTINATIONS is over ${LARGEST_VARIABLE_BYTES} bytes and becomes ${DESTINATIONS_FILE}; set custom.accountId, or no queue URL is in it and rejected messages stay in their queues`;
  const lacksUrls = accountId === undefined && destinations.some(({ queue }) => queue.created);
  return { value: `@${DESTINATIONS_FILE}`, file, notes: lacksUrls ? [note] : [] };
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

function withUrls(destinations: readonly Destination[], region: string, accountId: string | undefined): object {
  return Object.fromEntries(
    destinations.map(({ settings: { name }, written, queue }) => {
      if (!queue.created || accountId === undefined) return [name, written];
      const url = (queueName: string) => queueUrl(region, accountId, queueName);
      return [name, { ...written, queueUrl: url(queue.name), deadLetterQueueUrl: url(queue.deadLetterName) }];
    }),
  );
}
