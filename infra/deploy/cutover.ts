/** What `npm run package` says of cut-overs: when they are, where messages in flight go, and what would change their side. */
import { type Destination, sidesOf } from '../../functions/settings/destination.ts';
import { newSideOf } from '../../functions/settings/schema/cutover.ts';
import { isRecord } from '../../functions/untrusted.ts';
import type { Configuration } from './stack/destination.ts';

type Destinations = Pick<Configuration, 'destinations'>;

/** A few lines for each destination with a cut-over. */
export function cutoverLines({ destinations }: Destinations): string[] {
  return destinations.flatMap(({ settings }) => {
    const { name, cutover, fifo } = settings;
    if (cutover === undefined) return [];
    const { since, share } = cutover;
    const what = fifo ? 'groups' : 'messages';
    const [old = '', other = ''] = sidesOf(settings).map(addressOf);
    return [
      '',
      `${name}: cut-over at ${timeOf(since)}`,
      `  old side  ${old}`,
      `            what is sent before${share === 100 ? '' : `, and ${100 - share} % of the ${what} since then`}`,
      `  new side  ${other}`,
      `            ${share} % of the ${what} sent since then`,
      '  In flight: a message keeps its side for all its tries.',
      '  Back: a later since, or no cutover at all.',
    ];
  });
}

/**
 * What a deployment over the package before would do to messages in flight: no line where all of them keep their side.
 *
 * @param before its `custom.destinations`
 * @param now epoch milliseconds: nothing in flight was sent later
 */
export function movedLines(before: unknown, { destinations }: Destinations, now = Date.now()): string[] {
  return destinations.flatMap(({ settings: { name }, written }) => {
    const was = routesIn(isRecord(before) ? before[name] : undefined);
    const is = routesIn(written);
    if (was === undefined || is === undefined) return [];
    if (was.since === undefined && is.since === undefined) return [];
    const moved = movedTimes(was, is, now);
    if (moved !== undefined) {
      return [
        `${name}.cutover: messages in flight would go elsewhere than before`,
        ...changesOf(was, is).map((change, index) => `  ${index === 0 ? 'why  ' : '     '}  ${change}`),
        `  which  ${moved}`,
        '  so     one whose outcome is unknown may run twice: how many at most, says',
        '         npm run doctor -- --cutover',
      ];
    }
    return changedSides(was, is).flatMap((change) => [
      `${name}.cutover: ${change}; it moves nothing in flight`,
      '  look at both sides again: npm run doctor -- --cutover',
    ]);
  });
}

/** Where there is no package before: a cut-over whose time is over may be a new one. @param now epoch milliseconds */
export function notComparedLines({ destinations }: Destinations, now: number): string[] {
  return destinations.flatMap(({ settings: { name, cutover } }) => {
    if (cutover === undefined || cutover.since > now) return [];
    return [
      `${name}.cutover: ${timeOf(cutover.since)} is over, and no package before is here`,
      '  so whether messages in flight change sides cannot be told; a package made',
      '  with --package <folder> stays there after its deployment, to compare with',
    ];
  });
}

/** Which tenant, and which flow there. */
type Way = Readonly<Record<'secret' | 'url' | 'path', unknown>>;

/** Where messages go, by their sent time and their place of 100 in the share. */
interface Routes {
  readonly old: Way;
  readonly other: Way;
  /** Absent: there is no cut-over. */
  readonly since?: number;
  readonly share: number;
}

/** With care: another version may have written it. */
function routesIn(written: unknown): Routes | undefined {
  if (!isRecord(written)) return undefined;
  const { cutover } = written;
  const old = wayOf(written);
  if (cutover === undefined) return { old, other: old, share: 0 };
  if (!isRecord(cutover)) return undefined;
  const { since: time, share = 100 } = cutover;
  const since = Date.parse(String(time));
  if (typeof share !== 'number' || Number.isNaN(since)) return undefined;
  return { old, other: wayOf(newSideOf(written)), since, share };
}

function wayOf({ secret, url, path }: Readonly<Record<string, unknown>>): Way {
  return { secret, url, path };
}

function isSame(one: Way, other: Way): boolean {
  return one.secret === other.secret && one.url === other.url && one.path === other.path;
}

function wayAt({ old, other, since, share }: Routes, sentAt: number, place: number): Way {
  return since === undefined || sentAt < since || place >= share ? old : other;
}

/** When those in flight that go elsewhere were sent, in words; undefined: there are none. */
function movedTimes(was: Routes, is: Routes, now: number): string | undefined {
  const cuts = [was.since, is.since].filter((since) => since !== undefined && since < now) as number[];
  const begins = [Number.NEGATIVE_INFINITY, ...[...new Set(cuts)].sort((one, other) => one - other)];
  // Between two of these places, and between two of these times, nothing changes.
  const places = [0, was.share, is.share].filter((place) => place < 100);
  const isMoved = (sentAt: number) =>
    places.some((place) => !isSame(wayAt(was, sentAt, place), wayAt(is, sentAt, place)));
  const moved = begins.filter(isMoved);
  if (moved.length === 0) return undefined;
  const [from = Number.NEGATIVE_INFINITY] = moved;
  const until = begins[begins.indexOf(moved.at(-1) ?? from) + 1];
  if (from === Number.NEGATIVE_INFINITY) return until === undefined ? 'all of them' : `sent before ${timeOf(until)}`;
  return `sent from ${timeOf(from)} on${until === undefined ? '' : `, before ${timeOf(until)}`}`;
}

function changesOf(was: Routes, is: Routes): string[] {
  if (was.since === undefined) return [`the cut-over is new, and ${timeOf(is.since)} is over`, ...changedOld(was, is)];
  if (is.since === undefined) return ['cutover is taken out', ...changedOld(was, is)];
  const { since, share } = is;
  return [
    ...(since === was.since ? [] : [`since is moved from ${timeOf(was.since)} to ${timeOf(since)}`]),
    ...(share === was.share
      ? []
      : [`share is ${share > was.share ? 'raised' : 'lowered'} from ${was.share} to ${share}`]),
    ...changedSides(was, is),
  ];
}

function changedSides(was: Routes, is: Routes): string[] {
  if (was.since === undefined || is.since === undefined) return changedOld(was, is);
  if (isSame(was.old, is.old) && isSame(was.other, is.other)) return [];
  if (isSame(was.old, is.other) && isSame(was.other, is.old)) return ['old and new side have changed places'];
  return [...changedOld(was, is), ...(isSame(was.other, is.other) ? [] : ['the new side is another one'])];
}

function changedOld(was: Routes, is: Routes): string[] {
  return isSame(was.old, is.old) ? [] : ['the old side is another one'];
}

function addressOf({ secret, url, path }: Destination): string {
  const { origin, pathname } = URL.parse(url ?? '') ?? {};
  return `${path ?? `${origin}${pathname}`} by ${secret}`;
}

function timeOf(since = Number.NaN): string {
  return new Date(since).toISOString().replace('.000Z', 'Z');
}
