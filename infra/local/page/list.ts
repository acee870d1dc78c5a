/** The page for curl: the sum, and one line for each message, the newest last, next to the prompt. */
import type { Figures } from './figures.ts';
import type { Ledger } from './ledger.ts';

export function plainList({ rows, headOf }: Ledger, { sums, faults }: Figures): string {
  const lines = rows.map((row) => {
    const { at, destination, place, id, bytes, tries, status, outcome, reason } = row;
    const head = headOf(row);
    return [
      new Date(at).toISOString().slice(11, 23),
      destination,
      place,
      id,
      `${bytes} B`,
      `attempt ${tries}`,
      ...(outcome === undefined || place === 'delivered' ? [] : [`${outcome} ${status ?? '-'}`]),
      ...(head === undefined ? [] : [`behind ${head.id} in its group`]),
      ...(reason === undefined ? [] : [printable(reason)]),
    ].join('  ');
  });
  const listed = lines.length === 0 ? ['nothing was sent yet'] : lines;
  return `${[...listed, '', ...faults, sumLine(sums)].join('\n')}\n`;
}

/** `sent 12 = delivered 9 + waiting 2 + in flight 1 + dead 0; lost 0`: where some are lost, they are part of the sum. */
export function sumLine({ sent, delivered, waiting, hidden, dead, returned, lost, ...rest }: Figures['sums']): string {
  const parts = [
    `delivered ${delivered}`,
    `waiting ${waiting + hidden}`,
    `in flight ${rest['in flight']}`,
    `dead ${dead}`,
    ...(returned === 0 ? [] : [`returned to their callers ${returned}`]),
  ];
  return `sent ${sent} = ${parts.join(' + ')}${lost === 0 ? ';' : ' +'} lost ${lost}`;
}

/** What others wrote moves no cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
}
