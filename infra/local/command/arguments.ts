/** The command line of `npm start`: what may be written, and what is wrong with it in one line. */
import { parseArgs } from 'node:util';
import { FIRST_PORT, PORT_COUNT } from './ports.ts';

export interface StartCommand {
  /** Ends after the story. */
  readonly once: boolean;
  /** The first of the landscape's ports. */
  readonly port: number;
}

/** What has to be corrected in the command. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

/** @throws Mistake */
export function readStartCommand(argv: readonly string[]): StartCommand | 'help' {
  const { once, port, help } = parse(argv);
  return help ? 'help' : { once, port: portOf(port) };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        port: { type: 'string', default: String(FIRST_PORT) },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Mistake(`${error.message.split(/\. (?:To specify|This command)|\n/)[0]}; see npm start -- --help`);
  }
}

function portOf(text: string): number {
  const most = 65_536 - PORT_COUNT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1024 || port > most) throw new Mistake(`--port: expected a number from 1024 to ${most}`);
  return port;
}
