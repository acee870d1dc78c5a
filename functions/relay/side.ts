/**
 * Which side of a cut-over a message belongs to, for all its tries. Nothing is remembered for it: the same message has the
 * same side in every environment, whatever its clock says.
 */
import { createHash } from 'node:crypto';
import type { Cutover } from '../settings/destination.ts';

export type Side = Cutover['newSide']['side'] & string;

/**
 * @param sentAt when it was sent to its queue, by the clock of SQS; of a webhook's direct call when it came in; epoch
 * milliseconds
 * @param key the message id; on FIFO the message group, so that a group is on one side
 */
export function sideOf({ since, share }: Pick<Cutover, 'since' | 'share'>, sentAt: number, key: string): Side {
  if (sentAt < since) return 'old';
  return share === 100 || placeOf(key) < share ? 'new' : 'old';
}

/** From 0 to 99, always the same for a key: a larger share takes keys from the old side to the new one, and none back. */
function placeOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE() % 100;
}
