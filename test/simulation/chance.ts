/**
 * Chance in streams: each part of a simulation draws from its own, named after it, so that what one part draws does not
 * shift what another gets.
 */
import { createRandom, type Random } from '../reliability/random.ts';

export type Chance = (stream: string) => Random;

export function createChance(seed: number): Chance {
  return (stream) => createRandom(hash(`${seed} ${stream}`));
}

/** In the shape in which the landscape's SAP systems ask for it. */
export function bytesOf(random: () => number): (size: number) => Uint8Array {
  return (size) => Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
