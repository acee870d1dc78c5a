/**
 * `npm run pause` stops the delivery of a destination without a deployment, `npm run resume` begins it again; the script's
 * first word says which. The manual is `manual.ts`.
 */
import { interruption } from '../replay/interruption.ts';
import { runPause } from './run.ts';

const { stdout, stderr, env: environment } = process;
const [script, ...argv] = process.argv.slice(2);

const signal = interruption({
  signals: process,
  stdout,
  now: () => performance.now(),
  exit: () => process.exit(130),
});

process.exitCode = await runPause(script === 'resume', argv, { environment, stdout, stderr, signal });
