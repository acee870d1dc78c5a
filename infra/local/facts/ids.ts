/**
 * Ids of the shape that AWS gives out, drawn from a source of randomness that can be seeded.
 */

/** A UUID of version 4. `random` gives numbers from 0 to below 1, as `Math.random`. */
export function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = '4';
  hex[16] = '89ab'.charAt(Math.floor(random() * 4));
  const text = hex.join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}
