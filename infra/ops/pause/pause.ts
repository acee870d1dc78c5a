/** `npm run pause`: stops the delivery of a destination without a deployment; the manual is `manual.ts`. */
import { interruption } from '../replay/interruption.ts';
import { runPause } from './run.ts';

const { stdout, stderr, env: environment } = process;

const signal = interruption({
  signals: process,
  stdout,
  now: () => performance.now(),
  exit: () => process.exit(130),
});

process.exitCode = await runPause(false, process.argv.slice(2), { environment, stdout, stderr, signal });
