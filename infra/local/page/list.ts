/** The page for curl: the sum, and one line for each message, the newest last, next to the prompt. */
import type { Figures } from './figures.ts';
import type { MessageRow } from './message.ts';

export function plainList(rows: readonly MessageRow[], { sums, faults }: Figures): string {
  const lines = rows.map(({ at, destination, place, id, bytes, tries, status, outcome, reason }) =>
    [
      new Date(at).toISOString().slice(11, 23),
      destination,
      place,
      id,
      `${bytes} B`,
      `attempt ${tries}`,
      ...(outcome === undefined || place === 'delivered' ? [] : [`${outcome} ${status ?? '-'}`]),
      ...(reason === undefined ? [] : [printable(reason)]),
    ].join('  '),
  );
  const listed = lines.length === 0 ? ['nothing was sent yet'] : lines;
  return `${[...listed, '', ...faults, sumLine(sums)].join('\n')}\n`;
}

/** `sent 12 = delivered 9 + waiting 2 + in flight 1 + dead 0; lost 0` */
export function sumLine({ sent, delivered, waiting, hidden, dead, returned, lost, ...rest }: Figures['sums']): string {
  const parts = [
    `delivered ${delivered}`,
    `waiting ${waiting + hidden}`,
    `in flight ${rest['in flight']}`,
    `dead ${dead}`,
    ...(returned === 0 ? [] : [`returned to their callers ${returned}`]),
  ];
  return `sent ${sent} = ${parts.join(' + ')}; lost ${lost}`;
}

/** What others wrote moves no cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
}
