/** Fields that no schema has: all of them are named, where a schema's own strictness would stop at the first. */
import { nearest } from './nearest.ts';

/**
 * @param otherwise told where no known one is near
 * @returns one line for each, `<path>.<field>: unknown field`, with the known one that was probably meant
 */
export function unknownFields(
  value: Record<string, unknown>,
  known: readonly string[],
  path: string,
  otherwise = '',
): string[] {
  const unknown = Object.keys(value).filter((field) => !known.includes(field));
  return unknown.map((field) => {
    const meant = nearest(field, known);
    return `${path}.${field}: unknown field${meant === undefined ? otherwise : `, did you mean ${meant}?`}`;
  });
}
