/**
 * A cut-over: how both sides differ, whether it may happen, and what is left on the old side after it. Told from what was
 * found of each side, and from what lies in the queue: no message is received for it.
 */
import type { Destination } from '../../../../functions/settings/destination.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { FoundQueue } from './queue.ts';

/** What of a side is compared, by the ids of what was looked at. */
const COMPARED = ['secret', 'certificate', 'token', 'access', 'csrf', 'allowed-headers'];
/** CloudWatch's age of the oldest message is late by some minutes. */
const AGE_LATE_MS = 300_000;

export interface CutoverFacts {
  /** What was found of each side. */
  readonly old: readonly Line[];
  readonly other: readonly Line[];
  readonly queue: FoundQueue | undefined;
  /** Dead letters; undefined: not known. */
  readonly letters: number | undefined;
  /** When the function got the settings that it has, epoch milliseconds. */
  readonly deployedAt: number | undefined;
  readonly now: number;
}

export function lookAtCutover({ name, cutover }: Destination, facts: CutoverFacts): Line[] {
  if (cutover === undefined) return [];
  const { since, share } = cutover;
  const { old, other, now } = facts;
  const differences = COMPARED.flatMap((id) => {
    const [one, two] = [old, other].map((lines) => lines.find((line) => line.id === id)?.reason);
    if (one === two) return [];
    return [fine('cutover', `differs-${id}`, `${id}: old side: ${one ?? 'none'}; new side: ${two ?? 'none'}`)];
  });
  return [
    ...differences,
    ...moved(name, since, facts),
    ...(now < since ? [readiness(since, share, old, other)] : after(since, share, facts)),
  ];
}

function readiness(since: number, share: number, old: readonly Line[], other: readonly Line[]): Line {
  const isWrong = ({ result }: Line) => result === 'error';
  const time = timeOf(since);
  const [wrongOld, wrongNew] = [old.filter(isWrong).length, other.filter(isWrong).length];
  if (wrongOld + wrongNew > 0) {
    const errors = [
      wrongOld > 0 ? `${wrongOld} on the old side` : '',
      wrongNew > 0 ? `${wrongNew} on the new side` : '',
    ];
    const where = errors.filter((words) => words !== '').join(' and ');
    return finding('cutover-not-ready', `the cut at ${time} must not happen yet: errors, ${where}`);
  }
  if ([...old, ...other].some(({ isHindered }) => isHindered))
    return hindered(
      'cutover',
      'cutover',
      `whether the cut at ${time} may happen is not known: not all could be checked`,
    );
  return fine('cutover', 'cutover', `the cut may happen: at ${time}, for ${share} % of what is sent from then on`);
}

/**
 * Settings that the function got after their own `since` were others before, or came late: what was tried by then may
 * change sides. How many messages that can be at most is what lies in the queue since before, and the dead letters.
 */
function moved(name: string, since: number, { queue, letters, deployedAt, now }: CutoverFacts): Line[] {
  if (deployedAt === undefined || deployedAt <= since || queue === undefined) return [];
  const { oldestSeconds, visible, hidden } = queue;
  const isOlder = oldestSeconds !== undefined && now - oldestSeconds * 1_000 <= deployedAt + AGE_LATE_MS;
  const waiting = isOlder ? visible + hidden : 0;
  const most = waiting + (letters ?? 0);
  if (most === 0) return [];
  const why = `the function has had these settings since ${timeOf(deployedAt)}, later than ${name}.cutover.since`;
  const what = `${waiting} messages and ${letters ?? 'unknown'} dead letters`;
  return [
    finding(
      'cutover-moved',
      `${why}: if since was moved or share changed, ${what} at most may have an unknown outcome on the other side`,
    ),
  ];
}

function after(since: number, share: number, { queue, letters, now }: CutoverFacts): Line[] {
  const cut = `the cut was at ${timeOf(since)}, for ${share} % of what is sent from then on`;
  if (share < 100) return [fine('cutover', 'cutover', `${cut}: the old side has the rest`)];
  const dead = letters === undefined || letters === 0 ? '' : `; ${letters} dead letters may still be put back to it`;
  if (queue === undefined) return [hindered('cutover', 'cutover', `${cut}; what the old side still has is not known`)];
  const { oldestSeconds, visible, hidden } = queue;
  const isEmpty = visible + hidden === 0;
  const oldestAt = oldestSeconds === undefined ? undefined : now - oldestSeconds * 1_000;
  if (isEmpty || (oldestAt !== undefined && oldestAt - AGE_LATE_MS >= since)) {
    const idle = isEmpty ? 'nothing is in the queue' : `the oldest message in the queue was sent after it`;
    return [fine('cutover', 'cutover', `${cut}; old side idle since then or soon after: ${idle}${dead}`)];
  }
  if (oldestAt === undefined)
    return [hindered('cutover', 'cutover', `${cut}; the age of the oldest message is not known${dead}`)];
  const words = `the oldest message in the queue was sent about ${timeOf(oldestAt)}, of before the cut`;
  return [fine('cutover', 'cutover', `${cut}; old side still at work: ${words}${dead}`)];
}

function timeOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
