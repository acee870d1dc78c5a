/**
 * A process with one idle and one busy function process, that ends as its first argument tells; for the tests of what
 * is left. With the second argument `true` it has lost its watchdog, so that it must clean up itself.
 */
import { readFileSync } from 'node:fs';
import { createLambdaFunction } from '../../../infra/local/aws/lambda/lambda.ts';

const slow = `${import.meta.dirname}/slow.mjs`;
const fn = await createLambdaFunction({ name: 'left', bundle: slow, environment: {}, timeoutSeconds: 60 });
await Promise.all([fn.invoke({ ms: 0 }), fn.invoke({ ms: 0 })]);
const busy = fn.invoke({ ms: 60_000 });
await fn.waitForInvocationStart(3);
const [how, isWithoutWatchdog] = process.argv.slice(2);
if (isWithoutWatchdog === 'true') {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  const watchdog = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog.sh'));
  if (watchdog === undefined) throw new Error('no watchdog was started');
  process.kill(watchdog, 'SIGKILL');
}
process.stdout.write(`${JSON.stringify(fn.running.map(({ pid }) => pid))}\n`);

if (how === 'exit') process.exit(0);
if (how === 'throw') {
  setImmediate(() => {
    throw new Error('uncaught');
  });
}
await busy;
