/**
 * `node test/reliability/run.ts`: sends so many messages through the built relay under faults of every kind, and says
 * what became of each of them. Exit code 0 if all is accounted for, 1 if not.
 */

import { parseArgs } from 'node:util';
import { isInOrder } from './accounting.ts';
import { whole, words } from './command-line.ts';
import { type Reliability, runReliability } from './reliability.ts';

const HELP = `Usage: node test/reliability/run.ts [options]   (after npm run build)

  --messages <n>  how many are sent, half of them in groups through a FIFO queue (default 20000)
  --seed <n>      of the faults (default 1)
  --groups <n>    of the FIFO queue (default 50)
  --faults <n>    per cent of the calls of the runtime node that fail (default 20)
  --cutover       from Neo to Cloud Foundry in the middle of it
  --help          this text`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    cutover: { type: 'boolean', default: false },
    messages: text,
    seed: text,
    groups: text,
    faults: text,
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const startedAt = Date.now();
  let nextLineAt = 0;
  const messages = whole('messages', values.messages, 20_000);
  const result = await runReliability({
    messages,
    cutover: values.cutover,
    seed: whole('seed', values.seed, 1),
    groups: whole('groups', values.groups, 50),
    faults: whole('faults', values.faults, 20) / 100,
    progress: ({ sent, runs, left, faults }) => {
      const line = `${sent} of ${messages} sent, ${runs} runs of the flow, ${left} waiting, ${faults} faults`;
      if (process.stdout.isTTY === true) process.stdout.write(`\r${line}   `);
      else if (sent >= nextLineAt) {
        nextLineAt = sent + Math.ceil(messages / 10);
        console.log(line);
      }
    },
  });
  if (process.stdout.isTTY === true) process.stdout.write('\n');
  print(result, (Date.now() - startedAt) / 1000);
  // Seen once after 20,000 messages: with all of it done, Node spun for ever over two sockets that had been reset.
  process.exit(isInOrder(result) && (result.sides?.wrong.length ?? 0) === 0 ? 0 : 1);
}

function print(result: Reliability, seconds: number): void {
  const { sent, delivered, duplicates, duplicateLetters, deadLetters, lost, orderBroken, untold, untrue } = result;
  const lines: readonly (readonly [string, unknown])[] = [
    ['sent', sent],
    ['delivered', delivered],
    ['dead letters by reason', words(deadLetters)],
    ['duplicates by cause', words(duplicates)],
    ['duplicate letters', duplicateLetters],
    ['attempts, invocations', `${result.attempts}, ${result.invocations}`],
    ['invocations without a reply', words(Object.fromEntries(result.broken))],
    ['faults by kind', words(Object.fromEntries(result.faults))],
    ['time', `${seconds.toFixed(0)} s, in the queues ${(result.queueSeconds / 3600).toFixed(1)} h`],
    ['lost', lost.length],
    ['order broken', orderBroken.length],
    ['duplicates not told', untold.length],
    ['not true or not explained', untrue.length],
  ];
  const { sides } = result;
  if (sides !== undefined) {
    console.log(`${'on the old, the new side'.padEnd(28)} ${sides.old}, ${sides.new}`);
    console.log(`${'on the wrong side'.padEnd(28)} ${sides.wrong.length}`);
    for (const line of sides.wrong.slice(0, 10)) console.log(line);
  }
  for (const [name, value] of lines) console.log(`${name.padEnd(28)} ${value}`);
  for (const line of [...lost.map((id) => `lost: ${id}`), ...orderBroken, ...untold, ...untrue, ...result.traces].slice(
    0,
    50,
  ))
    console.log(line);
}
