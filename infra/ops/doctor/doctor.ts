/** `npm run doctor`: looks at a deployment from end to end; the manual is `manual.ts`. */
import { readFile } from 'node:fs/promises';
import { interruption } from '../replay/interruption.ts';
import { runDoctor } from './run.ts';

const { stdout, stderr, env: environment } = process;

const signal = interruption({
  signals: process,
  stdout,
  now: () => performance.now(),
  exit: () => process.exit(130),
});

process.exitCode = await runDoctor(process.argv.slice(2), { environment, readFile, stdout, stderr, signal });
