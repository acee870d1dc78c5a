/** The command line of `npm run pause` and `npm run resume`, and what is wrong with it in one line. */
import { PLACE_OPTIONS, type Place, readPlace } from '../place.ts';
import { Mistake } from '../replay/mistake.ts';
import { readWords } from '../words.ts';

export interface PauseCommand extends Place {
  readonly destination: string;
}

const OPTIONS = {
  ...PLACE_OPTIONS,
  destination: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @throws Mistake */
export function readPauseCommand(argv: readonly string[]): PauseCommand | 'help' {
  const values = readWords(argv, OPTIONS);
  if (values.help) return 'help';
  for (const [name, value] of Object.entries(values)) if (value === '') throw new Mistake(`--${name} is empty`);
  const { destination } = values;
  if (destination === undefined) throw new Mistake('which destination? --destination <name>; see --help');
  return { ...readPlace(values), destination };
}
