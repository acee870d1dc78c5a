/** What many runs have counted, summed up, as a table. */
import type { Ledger } from './ledger.ts';

export type Tally = Record<string, Record<string, number>>;

export function tallyOf({ counts }: Pick<Ledger, 'counts'>): Tally {
  return Object.fromEntries(Object.entries(counts).map(([table, entries]) => [table, Object.fromEntries(entries)]));
}

export function add(sum: Tally, tally: Tally): void {
  for (const [table, entries] of Object.entries(tally)) {
    sum[table] ??= {};
    for (const [key, count] of Object.entries(entries)) sum[table][key] = (sum[table][key] ?? 0) + count;
  }
}

/** In the order in which a reader asks. */
const TABLES = [
  'messages',
  'runs',
  'duplicates',
  'dead letters',
  'webhook replies',
  'tokens',
  'invocations',
  'environments',
  'faults',
];

export function told(tally: Tally): string[] {
  const names = [...TABLES, ...Object.keys(tally).filter((table) => !TABLES.includes(table))];
  return names.flatMap((table) => {
    const entries = Object.entries(tally[table] ?? {}).sort(([, one], [, other]) => other - one);
    return entries.length === 0
      ? []
      : [`${table}:`, ...entries.map(([key, count]) => `  ${String(count).padStart(9)}  ${key}`)];
  });
}
