/** The command line of `npm run pause` and `npm run resume`, and what is wrong with it in one line. */
import { Mistake } from '../replay/mistake.ts';
import { readWords } from '../words.ts';

export interface Place {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  readonly destination: string;
}

const text = { type: 'string' } as const;
const OPTIONS = {
  stage: text,
  destination: text,
  region: text,
  service: text,
  help: { type: 'boolean', short: 'h' },
} as const;

/** @throws Mistake */
export function readPauseCommand(argv: readonly string[]): Place | 'help' {
  const values = readWords(argv, OPTIONS);
  if (values.help) return 'help';
  for (const [name, value] of Object.entries(values)) if (value === '') throw new Mistake(`--${name} is empty`);
  const { service = 'token-relay', stage = 'dev', region = 'eu-central-1', destination } = values;
  if (destination === undefined) throw new Mistake('which destination? --destination <name>; see --help');
  return { service, stage, region, destination };
}
