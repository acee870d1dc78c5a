/** What `npm run package` says of cut-overs: when they are, where messages in flight go, and what would change their side. */
import { type Cutover, type Destination, sidesOf } from '../../functions/settings/destination.ts';
import { isRecord } from '../../functions/untrusted.ts';
import type { Configuration } from './stack/destination.ts';

type Destinations = Pick<Configuration, 'destinations'>;

/** A few lines for each destination with a cut-over. @param now epoch milliseconds */
export function cutoverLines({ destinations }: Destinations, now: number): string[] {
  return destinations.flatMap(({ settings }) => {
    const { name, cutover, fifo } = settings;
    if (cutover === undefined) return [];
    const { since, share } = cutover;
    const what = fifo ? 'groups' : 'messages';
    const [old = '', other = ''] = sidesOf(settings).map(addressOf);
    return [
      '',
      `${name}: cut-over at ${timeOf(since)}`,
      `  old side  ${old}: what is sent before${share === 100 ? '' : `, and ${100 - share} % of the ${what} since then`}`,
      `  new side  ${other}: ${share} % of the ${what} sent since then`,
      '  In flight: a message keeps its side for all its tries. Back: a later since, or no cutover at all.',
      ...(since > now
        ? []
        : [`  ${timeOf(since)} is over: what the old side has tried since then would change sides.`]),
    ];
  });
}

/** What a deployment over the package before would do to messages in flight. @param before its `custom.destinations` */
export function movedLines(before: unknown, { destinations }: Destinations): string[] {
  return destinations.flatMap(({ settings: { name, cutover } }) => {
    const change = changeOf(cutoverIn(before, name), cutover);
    if (change === undefined) return [];
    return [
      `${name}.cutover: ${change}; messages in flight whose outcome is unknown would go to the other side: ` +
        'npm run doctor -- --cutover says how many these may be',
    ];
  });
}

type When = Pick<Cutover, 'since' | 'share'>;

/** With care: another version may have written it. */
function cutoverIn(destinations: unknown, name: string): When | undefined {
  const destination = isRecord(destinations) ? destinations[name] : undefined;
  const cutover = isRecord(destination) ? destination.cutover : undefined;
  if (!isRecord(cutover)) return undefined;
  const { since, share = 100 } = cutover;
  const time = Date.parse(String(since));
  return typeof share !== 'number' || Number.isNaN(time) ? undefined : { since: time, share };
}

function changeOf(was: When | undefined, is: When | undefined): string | undefined {
  if (was === undefined) return undefined;
  if (is === undefined) return 'taken out';
  if (is.since !== was.since) return `since is moved from ${timeOf(was.since)} to ${timeOf(is.since)}`;
  if (is.share === was.share) return undefined;
  return `share is ${is.share > was.share ? 'raised' : 'lowered'} from ${was.share} to ${is.share}`;
}

function addressOf({ secret, url, path }: Destination): string {
  const { origin, pathname } = URL.parse(url ?? '') ?? {};
  return `${path ?? `${origin}${pathname}`} by ${secret}`;
}

function timeOf(since: number): string {
  return new Date(since).toISOString().replace('.000Z', 'Z');
}
