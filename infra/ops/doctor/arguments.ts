/** The command line of `npm run doctor`: what may be written, what it means, and what is wrong with it in one line. */
import { PLACE_OPTIONS, type Place, readPlace } from '../place.ts';
import { Mistake } from '../replay/mistake.ts';
import { readWords } from '../words.ts';

export interface DoctorCommand extends Place {
  /** Absent: all. */
  readonly destination?: string;
  readonly output: 'text' | 'json' | 'ticket';
  /** Whose content is sent to the flow. */
  readonly sendPath?: string;
  /** Says of each cut-over how its sides differ, and whether it may happen. */
  readonly cutover?: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  ...PLACE_OPTIONS,
  destination: text,
  json: flag,
  ticket: flag,
  send: text,
  cutover: flag,
  help: { type: 'boolean', short: 'h' },
} as const;

/** @throws Mistake */
export function readDoctorCommand(argv: readonly string[]): DoctorCommand | 'help' {
  const values = readWords(argv, OPTIONS);
  if (values.help) return 'help';
  for (const [name, value] of Object.entries(values)) if (value === '') throw new Mistake(`--${name} is empty`);
  const { json = false, ticket = false, destination, send, cutover = false } = values;
  if (json && ticket) throw new Mistake('--json and --ticket exclude each other');
  if (cutover && ticket) throw new Mistake('--cutover and --ticket exclude each other');
  if (cutover && send !== undefined) throw new Mistake('--cutover sends no message: it goes without --send');
  return {
    cutover,
    ...readPlace(values),
    output: json ? 'json' : ticket ? 'ticket' : 'text',
    ...(destination === undefined ? {} : { destination }),
    ...(send === undefined ? {} : { sendPath: send }),
  };
}
