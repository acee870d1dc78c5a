/** The words of a command line, as all commands here take them: options alone, and no other than these. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { Mistake } from './replay/mistake.ts';

/** @throws Mistake in one line */
export function readWords<Options extends ParseArgsOptionsConfig>(argv: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's advice about positional arguments does not apply here.
    throw new Mistake(error.message.split(/\. (?:To specify|This command)|\n/)[0] ?? error.message);
  }
}
