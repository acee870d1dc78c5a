/**
 * `node test/reliability/webhooks.ts`: posts so many orders to queued webhooks whose processes are killed at random,
 * and says what became of each 202. Exit code 0 if each is delivered or in a queue, 1 if not.
 */

import { parseArgs } from 'node:util';
import { whole, words } from './command-line.ts';
import { runWebhooks, type WebhookRun } from './webhook-senders.ts';

const HELP = `Usage: node test/reliability/webhooks.ts [options]   (after npm run build)

  --messages <n>  how many are posted, half of them to a FIFO queue (default 5000)
  --seed <n>      of the kills (default 1)
  --help          this text`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { messages: text, seed: text, help: { type: 'boolean', default: false } },
});

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const startedAt = Date.now();
  const messages = whole('messages', values.messages, 5_000);
  const step = Math.ceil(messages / 10);
  const result = await runWebhooks({
    messages,
    seed: whole('seed', values.seed, 1),
    progress: ({ accepted, kills }) => {
      if (accepted % step === 0) console.log(`${accepted} of ${messages} accepted, ${kills} processes killed`);
    },
  });
  print(result, (Date.now() - startedAt) / 1000);
  const isInOrder = result.accepted === messages && result.lost.length === 0 && result.strange.length === 0;
  process.exit(isInOrder ? 0 : 1);
}

function print(result: WebhookRun, seconds: number): void {
  const { kills, duplicates } = result;
  const lines: readonly (readonly [string, unknown])[] = [
    ['sent', result.sent],
    ['told 202', result.accepted],
    ['answers by status', words(result.answers)],
    ['webhook processes killed', `${kills.webhook}, ${kills.busy} of them at work`],
    ['queue processes killed', kills.queue],
    ['faults of SQS', result.lostAnswersOfSqs],
    ['of the 202: delivered', result.delivered],
    ['of the 202: in a queue', result.queued],
    ['of the 202: dead letters', result.dead],
    ['delivered again', `standard ${duplicates.standard}, fifo ${duplicates.fifo}`],
    ['time', `${seconds.toFixed(0)} s`],
    ['lost', result.lost.length],
    ['found, but never sent so', result.strange.length],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(28)} ${value}`);
  for (const id of result.lost.slice(0, 50)) console.log(`lost: ${id}`);
  for (const id of result.strange.slice(0, 50)) console.log(`never sent so: ${id}`);
}
