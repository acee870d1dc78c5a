/**
 * To which side of a cut-over a letter goes: the one that its tries went to, unless the command says otherwise. Then it is
 * asked for again where its outcome is unknown, since the other side does not know what was carried out.
 */
import type { Letter } from './letter.ts';

export type Side = 'old' | 'new';

/** Undefined: its letter names none, so its new sent time decides, where its destination has a cut-over. */
export function sideIn({ reason }: Letter): Side | undefined {
  const side = reason === undefined || reason === 'unreadable' ? undefined : reason.side;
  return side === 'old' || side === 'new' ? side : undefined;
}

/**
 * Whether it may have been carried out. Only its last try is in the letter, so one that was tried more than once may have
 * been; and whether a `failed` one ran, its letter does not say.
 */
export function mayHaveRun({ reason, outcome }: Letter): boolean {
  const { receiveCount } = reason === undefined || reason === 'unreadable' ? {} : reason;
  return receiveCount !== 1 || (outcome !== 'rejected' && outcome !== 'blocked');
}

/** @param asked by `--side` @returns in words for the operator; undefined where no cut-over is known of */
export function sideWords(letter: Letter, asked: Side | undefined): string | undefined {
  const own = sideIn(letter);
  const unknown = mayHaveRun(letter) ? ', where its outcome is unknown' : '';
  if (asked === undefined || asked === own) return own && `to the ${own} side, as before${unknown}`;
  const before = own === undefined ? 'its letter names no side' : `before it was on the ${own} side`;
  return `to the ${asked} side; ${before}${unknown.replace('where', 'and')}`;
}

/** Why it is not put back like that; undefined if it may be. @param mayRunTwice the operator has said so */
export function sideProblem(letter: Letter, asked: Side | undefined, mayRunTwice: boolean): string | undefined {
  if (asked === undefined || asked === sideIn(letter) || mayRunTwice || !mayHaveRun(letter)) return undefined;
  return `on the ${asked} side it may run a second time, since its outcome is unknown; --may-run-twice puts it there`;
}
