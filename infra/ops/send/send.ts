/** `npm run send`: signs a request as a sender of webhooks does, and sends it; the manual is `manual.ts`. */
import { readFile } from 'node:fs/promises';
import { runSend } from './run.ts';

const { stdout, stderr, env: environment } = process;

// A reader that went away, as head does, has seen enough; the exit code stays.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runSend(process.argv.slice(2), { environment, readFile, nowMs: Date.now(), stdout, stderr });
